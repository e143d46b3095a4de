// SPDX-License-Identifier: GPL-2.0-only
/* State kind: System V message queues that the job uses, with what is in them. */

#include <linux/err.h>
#include <linux/idr.h>
#include <linux/ipc_namespace.h>
#include <linux/msg.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "ksyms.h"
#include "msg_data.h"
#include "restorer.h"
#include "saver.h"
#include "sysv.h"

#define KIND "sysv_msg"

static struct ckpt_ipc_msg *queue_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct ckpt_ipc_msg, perm);
}

/* PID of a process that waits for a queue; threads of the job have left it as they were frozen. */
static pid_t waiter(struct ckpt_ipc_msg *q)
{
	struct ckpt_ipc_msg_receiver *receiver;
	struct ckpt_ipc_msg_sender *sender;

	receiver = list_first_entry_or_null(&q->receivers, struct ckpt_ipc_msg_receiver, list);
	if (receiver)
		return task_tgid_vnr(receiver->task) ?: -1;
	sender = list_first_entry_or_null(&q->senders, struct ckpt_ipc_msg_sender, list);
	return sender ? task_tgid_vnr(sender->task) ?: -1 : 0;
}

static pid_t user(struct kern_ipc_perm *perm)
{
	pid_t pid;

	spin_lock(&perm->lock);
	pid = waiter(queue_of(perm));
	spin_unlock(&perm->lock);
	return pid;
}

static bool is_same(const struct kern_ipc_perm *perm, const void *data)
{
	const struct ckpt_ipc_msg *q = container_of(perm, struct ckpt_ipc_msg, perm);
	const struct ckpt_image_sysv_msg *i = data;

	return q->ctime == i->sysv.ctime;
}

static long make(const void *data)
{
	const struct ckpt_image_sysv_msg *i = data;

	return ckpt_syscall(__NR_msgget, i->sysv.key, IPC_CREAT | IPC_EXCL | (i->sysv.mode & 0777),
			    0, 0, 0);
}

static const struct ckpt_sysv_type type = {
	.ids = CKPT_IPC_MSG,
	.name = "message queue",
	.remover = "ipcrm -q",
	.is_same = is_same,
	.user = user,
	.make = make,
	.remove = ckpt_remove_msg,
};

/* --- save --- */

/* Whether a process of the job has sent or received last, or waits to. */
static bool is_used(struct ckpt_saver *s, struct ckpt_ipc_msg *q)
{
	static const long calls[] = { __NR_msgsnd, __NR_msgrcv };

	return ckpt_sysv_is_member(s, q->lspid) || ckpt_sysv_is_member(s, q->lrpid) ||
	       ckpt_sysv_is_waited_for(s, q->perm.id, calls, ARRAY_SIZE(calls));
}

static void describe(struct ckpt_image_sysv_msg *out, const struct ckpt_ipc_msg *q)
{
	const struct msg_msg *msg;
	void *text;
	u32 n = 0;

	ckpt_sysv_describe(&out->sysv, &q->perm, q->ctime);
	out->stime = q->stime;
	out->rtime = q->rtime;
	out->qbytes = q->qbytes;
	out->lspid = ckpt_sysv_pid(q->lspid);
	out->lrpid = ckpt_sysv_pid(q->lrpid);
	out->nr_messages = q->qnum;
	text = &out->messages[q->qnum];
	list_for_each_entry(msg, &q->messages, m_list) {
		out->messages[n].type = msg->m_type;
		out->messages[n++].len = msg->m_ts;
		ckpt_msg_copy(text, msg);
		text += msg->m_ts;
	}
}

/* The queue stays: the rwsem of the IDs is held. What is in it stays if nobody else uses it. */
static int save_queue(struct ckpt_saver *s, struct ckpt_ipc_msg *q)
{
	struct ckpt_image_sysv_msg *out;
	unsigned long bytes, nr;
	bool is_new, same;
	size_t size;
	pid_t pid;
	int id = ckpt_objtab_id(&s->objects, q, &is_new);

	if (id < 0)
		return id;
	spin_lock(&q->perm.lock);
	bytes = q->cbytes;
	nr = q->qnum;
	spin_unlock(&q->perm.lock);
	size = size_add(struct_size(out, messages, nr), bytes);
	if (size > CKPT_IMAGE_MAX_RECORD) {
		ckpt_save_refuse(s, KIND, "queue %d: %lu bytes: more than an image can hold",
				 q->perm.id, bytes);
		return 0;
	}
	out = ckpt_save_record(s, &ckpt_kind_sysv_msg, 0, id, size);
	if (IS_ERR(out))
		return PTR_ERR(out);
	spin_lock(&q->perm.lock);
	pid = waiter(q) ?: ckpt_sysv_outsider(s, q->lspid) ?: ckpt_sysv_outsider(s, q->lrpid);
	same = q->cbytes == bytes && q->qnum == nr;
	if (same)
		describe(out, q);
	spin_unlock(&q->perm.lock);
	if (pid > 0)
		ckpt_save_refuse(s, KIND, "queue %d: process %d uses it too: save them together",
				 q->perm.id, pid);
	else if (pid || !same)
		ckpt_save_refuse(s, KIND, "queue %d: another process uses it too", q->perm.id);
	return 0;
}

static int save_job(struct ckpt_saver *s)
{
	struct ipc_ids *ids = ckpt_sysv_ids(ckpt_sysv_ns(), &type);
	struct kern_ipc_perm *perm;
	int err = 0, index;
	bool used;

	down_read(&ids->rwsem);
	idr_for_each_entry(&ids->ipcs_idr, perm, index) {
		spin_lock(&perm->lock);
		used = is_used(s, queue_of(perm));
		spin_unlock(&perm->lock);
		if (used)
			err = save_queue(s, queue_of(perm));
		if (err)
			break;
	}
	up_read(&ids->rwsem);
	return err;
}

/* --- restore --- */

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_sysv_msg *i = rec->data;
	u64 need = struct_size(i, messages, i->nr_messages);
	int err = ckpt_sysv_verify(r, rec, &type, 0777);
	u32 n;

	if (err)
		return err;
	for (n = 0; need <= rec->len && n < i->nr_messages; n++) {
		if (!i->messages[n].type || i->messages[n].type > S64_MAX ||
		    i->messages[n].reserved)
			need = U64_MAX;
		else
			need += i->messages[n].len;
	}
	if (i->reserved || need > rec->len)
		return ckpt_restore_error(r, -EBADMSG, "image: queue %d: bad messages", i->sysv.id);
	return 0;
}

static int send(struct ckpt_restorer *r, const struct ckpt_image_sysv_msg *i, int id)
{
	const void *text = &i->messages[i->nr_messages];
	struct ckpt_msg_buffer buffer = {};
	u32 n;
	long err = 0;

	for (n = 0; n < i->nr_messages && !err; n++) {
		const struct ckpt_image_sysv_message *m = &i->messages[n];

		/* struct msgbuf: the type, then the text. */
		err = ckpt_msg_buffer_put(&buffer, sizeof(m->type), text, m->len);
		if (!err)
			err = ckpt_msg_buffer_put(&buffer, 0, &m->type, sizeof(m->type));
		if (!err)
			err = ckpt_syscall(__NR_msgsnd, id, buffer.at, m->len, IPC_NOWAIT, 0);
		if (err)
			ckpt_restore_error(r, err, "queue %d: message of %u bytes: error %ld",
					   i->sysv.id, m->len, -err);
		text += m->len;
	}
	ckpt_msg_buffer_exit(&buffer);
	return err;
}

/* Where messages may wait for their queue, whatever it may hold. */
static int make_room(const struct ckpt_sysv_object *o)
{
	struct kern_ipc_perm *perm = ckpt_sysv_lock(o);

	if (!perm)
		return -EIDRM;
	queue_of(perm)->qbytes = ULONG_MAX;
	ckpt_sysv_unlock(o, perm);
	return 0;
}

/* One that was there keeps its messages until all else is done. */
static int open_queue(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	static const struct ckpt_image_sysv_msg nameless = { .sysv.mode = 0600 };
	struct ckpt_sysv_object *o = ckpt_sysv_open(r, rec, &type), *other = o;
	int err;

	if (!IS_ERR(o) && !o->is_new)
		other = ckpt_sysv_make(r, &nameless, &type);
	if (IS_ERR(other))
		return PTR_ERR(other);
	o->filled = other;
	err = make_room(other);
	return err ?: send(r, rec->data, other->id);
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err = 0;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SYSV_MSG)
		err = err ?: open_queue(r, rec);
	return err;
}

/* What is in a queue, taken out of it. */
struct messages {
	struct list_head list;
	unsigned long cbytes, qnum;
};

/* Puts messages into a queue, and takes out those that were in it; both may be none. */
static int exchange(const struct ckpt_sysv_object *o, struct messages *m)
{
	struct kern_ipc_perm *perm = ckpt_sysv_lock(o);
	struct ckpt_ipc_msg *q;
	LIST_HEAD(old);

	if (!perm)
		return -EIDRM;
	q = queue_of(perm);
	list_splice_init(&q->messages, &old);
	list_splice_init(&m->list, &q->messages);
	list_splice(&old, &m->list);
	swap(q->cbytes, m->cbytes);
	swap(q->qnum, m->qnum);
	ckpt_sysv_unlock(o, perm);
	return 0;
}

/* What does not come to its place goes back, and goes with the queue that it is in. */
static int move_messages(const struct ckpt_sysv_object *o)
{
	struct messages m = { .list = LIST_HEAD_INIT(m.list) };
	int err = 0;

	if (o->filled == o)
		return 0;
	err = exchange(o->filled, &m);
	if (err)
		return err;
	err = exchange(o, &m);
	return exchange(o->filled, &m) ?: err;
}

static int settle(struct ckpt_rjob *job)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, job->processes, CKPT_REC_SYSV_MSG) {
		const struct ckpt_image_sysv_msg *i = rec->data;
		struct ckpt_sysv_object *o = ckpt_sysv_object(job, rec->id);
		int err = o ? move_messages(o) : -ENOENT;
		struct kern_ipc_perm *perm = err ? NULL : ckpt_sysv_lock(o);
		struct ckpt_ipc_msg *q;

		if (!perm)
			return ckpt_rjob_error(job, -EIDRM, "queue %d: was removed", i->sysv.id);
		q = queue_of(perm);
		perm->mode = i->sysv.mode;
		q->ctime = i->sysv.ctime;
		q->stime = i->stime;
		q->rtime = i->rtime;
		q->qbytes = i->qbytes;
		ckpt_sysv_set_pid(&q->lspid, i->lspid);
		ckpt_sysv_set_pid(&q->lrpid, i->lrpid);
		ckpt_sysv_unlock(o, perm);
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_sysv_msg = {
	.name = KIND,
	.type = CKPT_REC_SYSV_MSG,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_sysv_msg),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.open = open,
	.settle = settle,
};
