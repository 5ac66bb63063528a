// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A plain error in the C text. */
// EXPECT: compiler_refused
// LOG: use of undeclared identifier 'nobody'
// REASON: c-error

int c_error(void *ctx)
{
	return nobody;
}
