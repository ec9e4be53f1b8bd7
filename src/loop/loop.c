/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/loop.h"

#include <pthread.h>
#include <stdlib.h>

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	pthread_mutex_t lock;
	struct loop_task *head;
	struct loop_task **tail;
};

/* Takes the whole mailbox at once: a task may post again. */
static struct loop_task *take_all(struct loop *loop)
{
	struct loop_task *list = NULL;

	pthread_mutex_lock(&loop->lock);
	list = loop->head;
	loop->head = NULL;
	loop->tail = &loop->head;
	pthread_mutex_unlock(&loop->lock);
	return list;
}

static void run_posted(uv_async_t *handle)
{
	struct loop_task *task = take_all(handle->data);

	while (task) {
		struct loop_task *next = task->next;

		task->next = NULL;
		task->run(task);
		task = next;
	}
}

bool loop_create(struct loop **out, struct sr_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc = 0;

	*out = NULL;
	if (!loop)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for an event loop");
	rc = uv_loop_init(&loop->uv);
	if (rc) {
		free(loop);
		return sr_fail(err, SR_E_UNAVAILABLE, "event loop: %s", uv_strerror(rc));
	}
	rc = uv_async_init(&loop->uv, &loop->wake, run_posted);
	if (rc || pthread_mutex_init(&loop->lock, NULL)) {
		uv_loop_close(&loop->uv);
		free(loop);
		return sr_fail(err, SR_E_UNAVAILABLE, "event loop's mailbox: %s",
			       rc ? uv_strerror(rc) : "no mutex");
	}
	loop->wake.data = loop;
	loop->tail = &loop->head;
	*out = loop;
	return true;
}

void loop_destroy(struct loop *loop)
{
	int rc = 0;

	if (!loop)
		return;
	if (!uv_is_closing((uv_handle_t *)&loop->wake))
		uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	/* a poster may still be on its way out of the lock */
	pthread_mutex_lock(&loop->lock);
	pthread_mutex_unlock(&loop->lock);
	rc = uv_loop_close(&loop->uv);
	if (rc)
		sr_log(SR_LOG_WARN, "loop", "closed with handles left: %s", uv_strerror(rc));
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	/* whoever posted before the stop still gets its turn */
	run_posted(&loop->wake);
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&loop->lock);
	*loop->tail = task;
	loop->tail = &task->next;
	/* Under the lock: once it is released, another wake-up may run the task,
	 * and with it whatever the loop was still alive for. */
	uv_async_send(&loop->wake);
	pthread_mutex_unlock(&loop->lock);
}

void loop_stop(struct loop *loop)
{
	if (!uv_is_closing((uv_handle_t *)&loop->wake))
		uv_close((uv_handle_t *)&loop->wake, NULL);
}
