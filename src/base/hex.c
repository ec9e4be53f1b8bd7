/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

void sr_hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * len] = '\0';
}

void sr_hex_encode_0x(const uint8_t *data, size_t len, char *out)
{
	out[0] = '0';
	out[1] = 'x';
	sr_hex_encode(data, len, out + 2);
}

/* 0xffffffff when lo <= c <= hi, else 0; all three below 2^31. */
static uint32_t range_mask(uint32_t c, uint32_t lo, uint32_t hi)
{
	return (((c - lo) | (hi - c)) >> 31) - 1u;
}

/*
 * A digit's value, or 256 for anything else. No branch and no table: the text
 * may be a private key that is being imported.
 */
static uint32_t digit_value(unsigned char ch)
{
	uint32_t c = ch;
	uint32_t lower = c | 0x20;
	uint32_t is_dec = range_mask(c, '0', '9');
	uint32_t is_hex = range_mask(lower, 'a', 'f');

	return (is_dec & (c - '0')) | (is_hex & (lower - 'a' + 10)) | (~(is_dec | is_hex) & 256);
}

bool sr_hex_decode(const char *text, size_t text_len, uint8_t *out, size_t out_len)
{
	uint32_t bad = 0;

	if (text_len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		text_len -= 2;
	}
	if (text_len % 2 || text_len / 2 != out_len)
		return false;
	for (size_t i = 0; i < out_len; i++) {
		uint32_t hi = digit_value((unsigned char)text[2 * i]);
		uint32_t lo = digit_value((unsigned char)text[2 * i + 1]);

		bad |= (hi | lo) & 256;
		out[i] = (uint8_t)((hi << 4 | lo) & 255);
	}
	return bad == 0;
}
