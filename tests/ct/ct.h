/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant time, judged by valgrind's memcheck: a secret is marked as memory without a value,
 * and memcheck follows it bit by bit. A branch, an address or a system call that depends on it
 * is an error, which it counts. What is public although it was computed from a secret, a
 * signature or a public key, is given its value back in one file, declassify.c.
 */
#ifndef CT_H
#define CT_H

#include <stdbool.h>
#include <stddef.h>

void ct_secret(void *data, size_t len);
void ct_public(void *data, size_t len);

/* Whether nothing in it depends on a secret; counts no error. */
bool ct_is_public(const void *data, size_t len);
bool ct_is_secret(const void *data, size_t len); /* no byte of it is known */

/* Errors so far, of the whole program. */
unsigned ct_errors(void);

/* Makes them anew when a group of tests begins; fails when not under memcheck. */
int ct_set_up(void **state);

/* ---- declassify.c --------------------------------------------------------- */

/*
 * Errors that memcheck reports inside libsecp256k1 for one signature: the library looks at
 * whether the nonce is a valid scalar, and whether the signature came out as one. Either fails
 * once in 2^127, and its own source declares both public at these places; the binary that is
 * tested was not built to tell memcheck so.
 */
#define CT_ERRORS_A_SIGNATURE 2

/* How many secp256k1 signatures have been made. */
unsigned ct_signatures(void);

#endif
