// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An include that nobody has. */
// EXPECT: compiler_refused
// LOG: 'linux/there_is_no_such_header.h' file not found
// REASON: missing-header

#include <linux/there_is_no_such_header.h>

int missing_header(void *ctx)
{
	return 0;
}
