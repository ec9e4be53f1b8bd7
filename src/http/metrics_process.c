/* SPDX-License-Identifier: Apache-2.0 */
/* process_*: the names and meanings that Prometheus's client libraries have in common. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http/metrics_private.h"

struct process {
	unsigned long long threads;
	unsigned long long virtual_bytes;
	unsigned long long resident_pages;
};

/* proc(5): the second field is a name that may hold anything, parentheses included. */
static bool read_stat(struct process *out)
{
	char text[1024] = "";
	FILE *file = fopen("/proc/self/stat", "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	const char *rest = NULL;

	if (file)
		fclose(file);
	text[len] = '\0';
	rest = strrchr(text, ')');
	/* fields 3 to 19, then threads, itrealvalue, starttime, vsize, rss */
	return rest && sscanf(rest + 1,
			      " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			      " %*s %llu %*s %*s %llu %llu",
			      &out->threads, &out->virtual_bytes, &out->resident_pages) == 3;
}

/* Since Linux 6.2 the directory's size is the number of its entries; before, they are
 * counted, the one of the counting itself left out. */
static bool count_descriptors(uint64_t *out)
{
	struct stat st = { 0 };
	const struct dirent *entry = NULL;
	DIR *dir = NULL;

	*out = 0;
	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0) {
		*out = (uint64_t)st.st_size;
		return true;
	}
	dir = opendir("/proc/self/fd");
	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		*out += entry->d_name[0] != '.';
	closedir(dir);
	*out -= *out > 0;
	return true;
}

static void put_cpu(struct sr_buf *out)
{
	static const char name[] = "process_cpu_seconds_total";
	struct timespec ts = { 0 };

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts))
		return;
	metrics_head(out, name, "counter", "User and system CPU time spent.");
	metrics_put_ratio(out, name, NULL, (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec,
			  1000000000u);
}

static void put_descriptors(struct sr_buf *out)
{
	struct rlimit limit = { 0 };
	uint64_t open = 0;

	if (count_descriptors(&open))
		metrics_put_only(out, "process_open_fds", "gauge", "Open file descriptors.", open);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_put_only(out, "process_max_fds", "gauge",
				 "Most file descriptors that may be open.", limit.rlim_cur);
}

void metrics_write_process(const struct metrics *m, struct sr_buf *out)
{
	static const char started[] = "process_start_time_seconds";
	struct process p = { 0 };

	put_cpu(out);
	if (read_stat(&p)) {
		metrics_put_only(out, "process_resident_memory_bytes", "gauge",
				 "Resident memory size.",
				 p.resident_pages * (uint64_t)sysconf(_SC_PAGESIZE));
		metrics_put_only(out, "process_virtual_memory_bytes", "gauge",
				 "Virtual memory size.", p.virtual_bytes);
		metrics_put_only(out, "process_threads", "gauge", "Threads of the process.",
				 p.threads);
	}
	put_descriptors(out);
	metrics_head(out, started, "gauge", "When this process started, Unix time.");
	metrics_put_ratio(out, started, NULL, m->started_ms, 1000);
}
