/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one instance of the TA: who may enter, how it panics, when it begins anew.
 *
 * A panic leaves the TA by longjmp from wherever TEE_Panic was called to the
 * frame that entered it, under the lock all the while. Nothing of the TA runs
 * again until a session is opened: its handles and memory are gone, its sessions
 * answer TEEC_ERROR_TARGET_DEAD, and TA_CreateEntryPoint makes the next instance.
 * OP-TEE clears a dead TA's memory. Here its variables are this process's: so its
 * TA_DestroyEntryPoint, which wipes them, runs once more, whatever comes of it.
 *
 * Several processes may share a store. OP-TEE has one instance for them all; here
 * each has its own, and one that finds the store changed by another begins anew,
 * so that no cached key outlives its deletion.
 */
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "super_relay_ta.h"
#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

#define SESSIONS_MAX 256

const TEE_UUID sim_ta_uuid = SUPER_RELAY_TA_UUID;

struct session {
	uint32_t id; /* 0 when the slot is free */
	bool dead;
	void *context; /* the TA's */
	TEE_Identity client;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* All below: under the lock. */
static struct sim_store the_store = { .dir = -1, .objects = -1, .lock = -1, .generation = -1 };
static bool loaded;
static bool forked; /* this process is a child that has not entered yet */
static bool alive;
static bool inside; /* panic_frame is good */
static jmp_buf panic_frame;
static struct sim_call *current;
static const struct session *current_session;
static struct session sessions[SESSIONS_MAX];
static uint32_t session_uses;
static unsigned panic_countdown;
static unsigned long api_calls;

struct sim_store *sim_store(void)
{
	return &the_store;
}

const struct sim_call *sim_current_call(void)
{
	return current;
}

const TEE_Identity *sim_current_client(void)
{
	static const TEE_Identity nobody = { .login = TEE_LOGIN_PUBLIC };

	return current_session ? &current_session->client : &nobody;
}

/* ---- panics ------------------------------------------------------------ */

void TEE_Panic(TEE_Result panicCode)
{
	/* Outside of an entry point there is no TA to end: a defect of the simulator. */
	if (!inside)
		abort();
	sr_log(SR_LOG_ERROR, "tee", "simulator: the TA panicked with 0x%08x", panicCode);
	longjmp(panic_frame, 1);
}

void sim_api_call(void)
{
	api_calls++;
	if (panic_countdown && !--panic_countdown)
		TEE_Panic(TEE_ERROR_GENERIC);
}

/* ---- entering ---------------------------------------------------------- */

enum entry { CREATE, DESTROY, OPEN, CLOSE, INVOKE };

struct entering {
	enum entry entry;
	struct sim_call *call;
	struct session *session;
	uint32_t command;
	TEE_Result result;
};

static void enter(struct entering *e)
{
	switch (e->entry) {
	case CREATE:
		e->result = TA_CreateEntryPoint();
		break;
	case DESTROY:
		TA_DestroyEntryPoint();
		break;
	case OPEN:
		e->result = TA_OpenSessionEntryPoint(e->call->types, e->call->params,
						     &e->session->context);
		break;
	case CLOSE:
		TA_CloseSessionEntryPoint(e->session->context);
		break;
	case INVOKE:
		e->result = TA_InvokeCommandEntryPoint(e->session->context, e->command,
						       e->call->types, e->call->params);
		break;
	}
}

/* A frame of its own: setjmp makes local variables unreliable. */
static bool attempt(struct entering *e)
{
	if (setjmp(panic_frame))
		return false;
	enter(e);
	return true;
}

/* After a panic no session is closed, and nothing is asked of the TA but to wipe. */
static void bury(void)
{
	struct entering e = { .entry = DESTROY };

	alive = false;
	panic_countdown = 0;
	inside = true;
	(void)attempt(&e);
	inside = false;
	sim_handles_reset();
	sim_memory_reset();
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		sessions[i].dead = true;
}

/* False when it panicked; the instance is then no more. */
static bool guarded(struct entering *e)
{
	bool returned = false;

	current = e->call;
	current_session = e->session;
	inside = true;
	returned = attempt(e);
	inside = false;
	current = NULL;
	current_session = NULL;
	if (!returned)
		bury();
	return returned;
}

/* *result: the entry point's answer, or TARGET_DEAD when it panicked. session: the one
 * that is opened for it, or NULL. */
static bool create_instance(struct session *session, TEE_Result *result)
{
	struct entering e = { .entry = CREATE, .session = session };
	const bool returned = guarded(&e);

	*result = returned ? e.result : TEE_ERROR_TARGET_DEAD;
	alive = *result == TEE_SUCCESS;
	if (returned && !alive)
		bury();
	return alive;
}

static void destroy_instance(void)
{
	struct entering e = { .entry = DESTROY };

	if (alive)
		(void)guarded(&e);
	alive = false;
	sim_handles_reset();
	sim_memory_reset();
}

static bool for_session(struct session *session, enum entry entry)
{
	struct sim_call none = { 0 };
	struct entering e = { .entry = entry, .call = &none, .session = session };

	return guarded(&e) && e.result == TEE_SUCCESS;
}

/* The instance ends and begins again under its sessions, which notice nothing. */
static void renew(void)
{
	TEE_Result result = TEE_SUCCESS;

	for (size_t i = 0; alive && i < SESSIONS_MAX; i++) {
		if (sessions[i].id && !sessions[i].dead)
			(void)for_session(&sessions[i], CLOSE);
	}
	if (!alive)
		return;
	destroy_instance();
	if (!create_instance(NULL, &result))
		return;
	for (size_t i = 0; alive && i < SESSIONS_MAX; i++) {
		if (sessions[i].id && !sessions[i].dead && !for_session(&sessions[i], OPEN))
			sessions[i].dead = true;
	}
}

/* ---- the lock ---------------------------------------------------------- */

/* In this order: threads of this process first, then the other processes, and only
 * then what they may have changed. False, and nothing held, when there is no store. */
static bool acquire(void)
{
	bool changed = false;

	(void)pthread_mutex_lock(&lock);
	if (!loaded)
		goto fail;
	if (forked && !sim_store_after_fork(&the_store))
		goto fail;
	forked = false;
	if (!sim_store_lock(&the_store, &changed))
		goto fail;
	if (changed)
		renew();
	return true;
fail:
	(void)pthread_mutex_unlock(&lock);
	return false;
}

static void release(void)
{
	sim_store_unlock(&the_store);
	(void)pthread_mutex_unlock(&lock);
}

/* No thread of a child is to find the lock held by one that it does not have. */
static void before_fork(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
	(void)pthread_mutex_unlock(&lock);
}

/* Even a child that never comes here would keep the lock that its parent holds when it
 * is killed: the lock belongs to whoever has the open file. */
static void after_fork_in_child(void)
{
	sim_store_drop_lock(&the_store);
	forked = true;
	(void)pthread_mutex_unlock(&lock);
}

/* ---- sessions ---------------------------------------------------------- */

static struct session *free_session(void)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (!sessions[i].id) {
			/* Never 0, and not soon the same again. */
			session_uses = (session_uses + 1) & 0x7fffff;
			sessions[i] = (struct session){
				.id = session_uses * SESSIONS_MAX + (uint32_t)i + 1,
			};
			return &sessions[i];
		}
	}
	return NULL;
}

/* An id holds its slot, so that a session closed long ago is not taken for the one
 * that has its slot now. */
static struct session *find_session(uint32_t id)
{
	struct session *s = id ? &sessions[(id - 1) % SESSIONS_MAX] : NULL;

	return s && s->id == id ? s : NULL;
}

/* Opening is what brings a TA back after a panic, as with OP-TEE. */
static TEEC_Result open_session(struct session *s, struct sim_call *call, uint32_t *origin)
{
	struct entering e = { .entry = OPEN, .call = call, .session = s };
	TEE_Result result = TEE_SUCCESS;

	*origin = TEEC_ORIGIN_TEE;
	if (!alive && !create_instance(s, &result)) {
		if (result != TEE_ERROR_TARGET_DEAD)
			*origin = TEEC_ORIGIN_TRUSTED_APP;
		return result;
	}
	if (!guarded(&e))
		return TEEC_ERROR_TARGET_DEAD;
	*origin = TEEC_ORIGIN_TRUSTED_APP;
	return e.result;
}

TEEC_Result sim_instance_open_session(struct sim_call *call, const TEE_Identity *client,
				      uint32_t *session, uint32_t *origin)
{
	struct session *s = NULL;
	TEEC_Result result = TEEC_ERROR_OUT_OF_MEMORY;

	*origin = TEEC_ORIGIN_TEE;
	if (!acquire())
		return TEEC_ERROR_COMMUNICATION;
	s = free_session();
	if (s) {
		s->client = *client;
		result = open_session(s, call, origin);
		if (result == TEEC_SUCCESS)
			*session = s->id;
		else
			*s = (struct session){ 0 };
	}
	release();
	return result;
}

TEEC_Result sim_instance_invoke(uint32_t session, uint32_t command, struct sim_call *call,
				uint32_t *origin)
{
	struct entering e = { .entry = INVOKE, .call = call, .command = command };
	TEEC_Result result = TEEC_SUCCESS;

	*origin = TEEC_ORIGIN_TEE;
	if (!acquire())
		return TEEC_ERROR_COMMUNICATION;
	e.session = find_session(session);
	if (!e.session) {
		/* Linux's driver knows its sessions, and asks no TEE about another. */
		*origin = TEEC_ORIGIN_COMMS;
		result = TEEC_ERROR_BAD_PARAMETERS;
	} else if (e.session->dead || !guarded(&e)) {
		result = TEEC_ERROR_TARGET_DEAD;
	} else {
		*origin = TEEC_ORIGIN_TRUSTED_APP;
		result = e.result;
	}
	release();
	return result;
}

void sim_instance_close_session(uint32_t session)
{
	struct session *s = NULL;

	if (!acquire())
		return;
	s = find_session(session);
	if (s && !s->dead)
		(void)for_session(s, CLOSE);
	if (s)
		*s = (struct session){ 0 };
	/* The TA is keep-alive: it stays when its last session goes. */
	release();
}

/* ---- loading ----------------------------------------------------------- */

static bool same_store(const char *path)
{
	struct stat st = { 0 };

	return !stat(path, &st) && st.st_dev == the_store.device && st.st_ino == the_store.inode;
}

bool sim_instance_load(const char *path, struct sr_error *err)
{
	static bool fork_handled;
	bool ok = true;

	if (sodium_init() < 0)
		return sr_fail(err, SR_E_INTERNAL, "libsodium cannot be initialised");
	(void)pthread_mutex_lock(&lock);
	if (!fork_handled && pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child))
		ok = sr_fail(err, SR_E_NO_MEMORY, "simulator: no memory");
	else
		fork_handled = true;
	if (ok && loaded && !same_store(path))
		ok = sr_fail(err, SR_E_BUSY,
			     "the simulator has a store already: a process can use one, not %s too",
			     path);
	else if (ok && !loaded)
		ok = loaded = sim_store_open(&the_store, path, &sim_ta_uuid, err);
	(void)pthread_mutex_unlock(&lock);
	return ok;
}

/* ---- for tests --------------------------------------------------------- */

void sim_test_panic_after(unsigned n)
{
	(void)pthread_mutex_lock(&lock);
	panic_countdown = n;
	(void)pthread_mutex_unlock(&lock);
}

unsigned long sim_test_api_calls(void)
{
	unsigned long calls = 0;

	(void)pthread_mutex_lock(&lock);
	calls = api_calls;
	(void)pthread_mutex_unlock(&lock);
	return calls;
}

void sim_test_unload(void)
{
	(void)pthread_mutex_lock(&lock);
	if (loaded) {
		destroy_instance();
		sim_store_close(&the_store);
		for (size_t i = 0; i < SESSIONS_MAX; i++)
			sessions[i] = (struct session){ 0 };
	}
	loaded = false;
	(void)pthread_mutex_unlock(&lock);
}
