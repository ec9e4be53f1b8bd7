/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: a libuv event loop with a mailbox. Whatever blocks runs elsewhere and
 * posts its result here; whatever runs here runs to completion.
 */
#ifndef SR_LOOP_H
#define SR_LOOP_H

#include <uv.h>

#include "base/base.h"

struct loop;

/* A piece of work for a loop. Embedded in what it belongs to; the poster owns
 * the memory and may reuse it from run on. */
struct loop_task {
	void (*run)(struct loop_task *task); /* on the loop's thread */
	struct loop_task *next;
};

bool loop_create(struct loop **out, struct sr_error *err) SR_MUST_USE;

/* After loop_run has returned. All handles but the loop's own must be closed. */
void loop_destroy(struct loop *loop);

uv_loop_t *loop_uv(struct loop *loop);

/* Runs until loop_stop. Tasks posted before the stop are run. */
void loop_run(struct loop *loop);

/* Runs task on the loop, once, in the order of posting. Any thread. */
void loop_post(struct loop *loop, struct loop_task *task);

/* Ends loop_run once every other handle is closed. On the loop's thread. */
void loop_stop(struct loop *loop);

#endif
