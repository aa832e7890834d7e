/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "progress.h"

#include "system/message.h"

#include <stdio.h>
#include <time.h>

void progress_show(const struct progress *progress)
{
	static time_t last;
	const time_t now = time(NULL);
	char place[64] = "";

	if (now == last || !progress->size)
		return;
	last = now;
	if (progress->files > 1)
		snprintf(place, sizeof(place), " (file %zu of %zu)",
			 progress->file, progress->files);
	message_status("%s%s: %llu %%, %llu packets, %llu banners",
		       progress->path, place,
		       progress->done < progress->size ?
			       progress->done * 100 / progress->size :
			       100,
		       progress->packets, progress->banners);
}
