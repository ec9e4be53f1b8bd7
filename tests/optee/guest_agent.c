/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests' hand inside the emulated machine: runs commands for the host. Test only: it is in
 * no image, it trusts whoever connects, and it listens inside the machine alone.
 *
 * One connection is one command. Integers are little-endian.
 *   agent:  "SRGA"                                      once it takes a request
 *   host:   u32 size, then size bytes: u32 argc, u32 envc, argc + envc texts, each with its NUL
 *   then frames, u8 type and u32 length before the payload:
 *   host:   0 standard input (length 0 ends it), 1 a signal's number (u8) for the command
 *   agent:  1 standard output, 2 standard error, 3 the end: u8 exit status, u8 signal
 * When the host hangs up, the command and its process group are killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MAX 65536u
#define TEXTS_MAX 256u
#define FRAME_MAX 65536u
#define CHUNK 16384u

enum from_host { FRAME_INPUT = 0, FRAME_SIGNAL = 1 };
enum from_agent { FRAME_OUTPUT = 1, FRAME_ERROR = 2, FRAME_END = 3 };

struct request {
	char *argv[TEXTS_MAX + 1];
	char *env[TEXTS_MAX];
	uint32_t argc, envc;
	char bytes[REQUEST_MAX + 1];
};

struct command {
	int host; /* the connection */
	pid_t pid;
	int pidfd;
	int in, out, err;	    /* our ends of its pipes; -1: closed */
	uint8_t pending[FRAME_MAX]; /* input that the command has not taken yet */
	size_t pending_at, pending_len;
};

/* ---- bytes ----------------------------------------------------------------- */

static uint32_t le32(const void *data)
{
	const uint8_t *p = data;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool read_all(int fd, void *data, size_t len)
{
	uint8_t *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_frame(int fd, enum from_agent type, const void *data, size_t len)
{
	const uint8_t head[5] = { (uint8_t)type, (uint8_t)len, (uint8_t)(len >> 8),
				  (uint8_t)(len >> 16), (uint8_t)(len >> 24) };

	return write_all(fd, head, sizeof(head)) && write_all(fd, data, len);
}

/* ---- the request ------------------------------------------------------------- */

/* Cuts texts off the bytes between *at and end. */
static bool take_texts(char **at, const char *end, char **texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		char *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;

		if (!nul)
			return false;
		texts[i] = *at;
		*at = nul + 1;
	}
	return true;
}

static bool read_request(int fd, struct request *r)
{
	uint8_t head[4] = { 0 };
	uint32_t size = 0;
	char *at = r->bytes + 8;

	if (!read_all(fd, head, sizeof(head)))
		return false;
	size = le32(head);
	if (size < 8 || size > REQUEST_MAX || !read_all(fd, r->bytes, size))
		return false;
	r->argc = le32(r->bytes);
	r->envc = le32(r->bytes + 4);
	return r->argc && r->argc <= TEXTS_MAX && r->envc <= TEXTS_MAX &&
	       take_texts(&at, r->bytes + size, r->argv, r->argc) &&
	       take_texts(&at, r->bytes + size, r->env, r->envc);
}

/* ---- the command --------------------------------------------------------------- */

static _Noreturn void become(struct request *r, const int in[2], const int out[2], const int err[2])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	dup2(err[1], STDERR_FILENO);
	for (uint32_t i = 0; i < r->envc; i++)
		putenv(r->env[i]);
	signal(SIGPIPE, SIG_DFL);
	execvp(r->argv[0], r->argv);
	dprintf(STDERR_FILENO, "guest-agent: %s: %s\n", r->argv[0], strerror(errno));
	_exit(127);
}

static bool start(struct command *c, struct request *r)
{
	int in[2] = { -1, -1 };
	int out[2] = { -1, -1 };
	int err[2] = { -1, -1 };

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return false;
	c->pid = fork();
	if (c->pid < 0)
		return false;
	if (!c->pid)
		become(r, in, out, err);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	/* What the command does not read must not hold up what it writes. */
	if (fcntl(c->in, F_SETFL, O_NONBLOCK) || fcntl(c->out, F_SETFL, O_NONBLOCK) ||
	    fcntl(c->err, F_SETFL, O_NONBLOCK))
		return false;
	c->pidfd = pidfd_open(c->pid, 0);
	return c->pidfd >= 0;
}

static void close_input(struct command *c)
{
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
	c->pending_len = 0;
}

static void feed(struct command *c)
{
	ssize_t n = write(c->in, c->pending + c->pending_at, c->pending_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		close_input(c);
		return;
	}
	c->pending_at += (size_t)n;
	c->pending_len -= (size_t)n;
}

/* False when the host has hung up or talks nonsense. */
static bool take_frame(struct command *c)
{
	uint8_t head[5] = { 0 };
	uint32_t len = 0;

	if (!read_all(c->host, head, sizeof(head)))
		return false;
	len = le32(head + 1);
	if (len > FRAME_MAX || !read_all(c->host, c->pending, len))
		return false;
	if (head[0] == FRAME_SIGNAL)
		return len == 1 && kill(c->pid, c->pending[0]) == 0;
	if (head[0] != FRAME_INPUT)
		return false;
	c->pending_at = 0;
	c->pending_len = c->in >= 0 ? len : 0;
	if (!len)
		close_input(c);
	return true;
}

/* Passes on what there is; closes *fd at its end. False when the host is gone. */
static bool pass_on(struct command *c, int *fd, enum from_agent type)
{
	uint8_t data[CHUNK];
	ssize_t n = *fd < 0 ? 0 : read(*fd, data, sizeof(data));

	if (n < 0)
		return true;
	if (n == 0 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return n == 0 || send_frame(c->host, type, data, (size_t)n);
}

/* What the command left in its pipes. A daemon that it has started may hold them open: their
 * end is not waited for. */
static bool drain(struct command *c)
{
	struct pollfd fds[2] = { 0 };

	do {
		fds[0] = (struct pollfd){ .fd = c->out, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = c->err, .events = POLLIN };
		if (!pass_on(c, &c->out, FRAME_OUTPUT) || !pass_on(c, &c->err, FRAME_ERROR))
			return false;
	} while (poll(fds, 2, 0) > 0 && (c->out >= 0 || c->err >= 0));
	return true;
}

static void report_end(struct command *c)
{
	int status = 0;
	uint8_t end[2] = { 0 };

	if (waitpid(c->pid, &status, 0) != c->pid)
		return;
	if (WIFEXITED(status))
		end[0] = (uint8_t)WEXITSTATUS(status);
	else
		end[1] = (uint8_t)WTERMSIG(status);
	if (drain(c))
		send_frame(c->host, FRAME_END, end, sizeof(end));
}

/* Until the command has ended (true) or the host has hung up. */
static bool serve(struct command *c)
{
	for (;;) {
		struct pollfd fds[5] = {
			{ .fd = c->host,
			  .events = c->pending_len ? POLLRDHUP : POLLIN | POLLRDHUP },
			{ .fd = c->out, .events = POLLIN },
			{ .fd = c->err, .events = POLLIN },
			{ .fd = c->pending_len ? c->in : -1, .events = POLLOUT },
			{ .fd = c->pidfd, .events = POLLIN },
		};

		if (poll(fds, 5, -1) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (fds[3].revents)
			feed(c);
		if (fds[1].revents && !pass_on(c, &c->out, FRAME_OUTPUT))
			return false;
		if (fds[2].revents && !pass_on(c, &c->err, FRAME_ERROR))
			return false;
		if (fds[4].revents)
			return true;
		if (fds[0].revents & POLLIN) {
			if (!take_frame(c))
				return false;
		} else if (fds[0].revents) {
			return false;
		}
	}
}

static void serve_connection(int fd)
{
	static struct request request;
	static struct command command = { .in = -1, .out = -1, .err = -1 };
	const int yes = 1;

	/* The listener's setting reaps for it; here the command's status is wanted. */
	signal(SIGCHLD, SIG_DFL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	command.host = fd;
	if (!write_all(fd, "SRGA", 4) || !read_request(fd, &request) || !start(&command, &request))
		return;
	if (serve(&command))
		report_end(&command);
	else
		kill(-command.pid, SIGKILL);
}

static int listen_on(uint16_t port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr = { htonl(INADDR_ANY) } };
	const int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	const char *port = argc == 2 ? argv[1] : "";
	const long number = strtol(port, NULL, 10);
	int listener = -1;

	if (number < 1 || number > 65535) {
		fprintf(stderr, "usage: guest-agent PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	listener = listen_on((uint16_t)number);
	if (listener < 0) {
		fprintf(stderr, "guest-agent: port %ld: %s\n", number, strerror(errno));
		return 1;
	}
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			serve_connection(fd);
			_exit(0);
		}
		close(fd);
	}
}
