// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the arguments of the ioctls: sizes, flags, padding, pointers, states. */

#include "../ioctl.h"

#include <kunit/test.h>
#include <linux/capability.h>
#include <linux/ckpt.h>
#include <linux/ckpt_image.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/signal.h>
#include <linux/uaccess.h>

#include "../request.h"
#include "memfile.h"
#include "usermem.h"

/* An ioctl whose arguments all are checked alike. */
struct subject {
	const char *name;
	unsigned int cmd;
	size_t size;
	u32 known_flags;
	size_t padding; /* offset of the field that must be 0, if there is one */
	bool waits; /* does not hold the request */
};

/* Any argument. */
union argument {
	struct {
		u32 size;
		u32 flags;
	};
	struct ckpt_info info;
	struct ckpt_freeze freeze;
	struct ckpt_status status;
	struct ckpt_save save;
	struct ckpt_kill kill;
	struct ckpt_open_image open_image;
	struct ckpt_tasks tasks;
	struct ckpt_restore restore;
	struct ckpt_wait wait;
	struct ckpt_restart_signal restart_signal;
	u8 bytes[256];
};

#define SUBJECT(subject, type, flags, field, unlocked)                                    \
	{                                                                                 \
		.name = #subject, .cmd = CKPT_IOC_##subject, .size = sizeof(struct type), \
		.known_flags = (flags), .padding = (field), .waits = (unlocked),          \
	}
#define PADDING(type) offsetof(struct type, reserved)

static const struct subject subjects[] = {
	SUBJECT(INFO, ckpt_info, 0, 0, false),
	SUBJECT(FREEZE, ckpt_freeze, 0, PADDING(ckpt_freeze), false),
	SUBJECT(STATUS, ckpt_status, 0, 0, false),
	SUBJECT(SAVE, ckpt_save, CKPT_SAVE_CHECK, 0, false),
	SUBJECT(THAW, ckpt_thaw, 0, 0, false),
	SUBJECT(KILL, ckpt_kill, 0, PADDING(ckpt_kill), false),
	SUBJECT(OPEN_IMAGE, ckpt_open_image, 0, 0, false),
	SUBJECT(TASKS, ckpt_tasks, 0, PADDING(ckpt_tasks), false),
	SUBJECT(RESTORE, ckpt_restore,
		CKPT_RESTORE_SIGNAL | CKPT_RESTORE_TIME | CKPT_RESTORE_STOPPED,
		PADDING(ckpt_restore), true),
	SUBJECT(WAIT, ckpt_wait, 0, PADDING(ckpt_wait), true),
	SUBJECT(RESTART_SIGNAL, ckpt_restart_signal, 0, PADDING(ckpt_restart_signal), false),
};

static void describe(const struct subject *s, char *text)
{
	strscpy(text, s->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(subject, subjects, describe);

static int ioctl_init(struct kunit *test)
{
	struct file *file = memfile_new(test);

	file->private_data = ckpt_request_new(file);
	test->priv = file;
	return file->private_data ? 0 : -ENOMEM;
}

static void ioctl_exit(struct kunit *test)
{
	struct file *file = test->priv;

	if (!file)
		return;
	ckpt_request_put(file->private_data);
	fput(file);
}

static struct ckpt_request *request(struct kunit *test)
{
	struct file *file = test->priv;

	return file->private_data;
}

/* Calls with @len bytes of @arg at the end of the page @at, and copies back what comes. */
static long call(struct kunit *test, unsigned long at, unsigned int cmd, union argument *arg,
		 size_t len)
{
	void __user *user = (void __user *)(at + PAGE_SIZE - len);
	long ret;

	if (copy_to_user(user, arg, len))
		return -ENXIO;
	ret = ckpt_ioctl(test->priv, cmd, (unsigned long)user);
	return copy_from_user(arg, user, len) ? -ENXIO : ret;
}

/* One call with an argument of its right size, outside of usermem_begin(). */
static long simple(struct kunit *test, unsigned int cmd, union argument *arg, size_t size)
{
	unsigned long at = usermem_begin(test);
	long ret = -ENXIO;

	arg->size = size;
	if (at) {
		ret = call(test, at, cmd, arg, size);
		usermem_end(test, at);
	}
	return ret;
}

/* An unknown flag tells a size that is taken from one that is not. */
static void each_size(struct kunit *test)
{
	const struct subject *s = test->param_value;
	unsigned long at = usermem_begin(test);
	union argument arg;
	u32 size;

	for (size = 0; at && size <= 2 * s->size; size++) {
		memset(&arg, 0, sizeof(arg));
		arg.size = size;
		arg.flags = 1U << 31;
		KUNIT_EXPECT_EQ_MSG(test, call(test, at, s->cmd, &arg, max_t(u32, size, 4)),
				    size < s->size ? (long)-EINVAL : (long)-EOPNOTSUPP, "size %u",
				    size);
	}
	if (at)
		usermem_end(test, at);
}

static void surplus_is_zero(struct kunit *test)
{
	const struct subject *s = test->param_value;
	unsigned long at = usermem_begin(test);
	union argument arg = {};
	u32 i;

	arg.size = 2 * s->size;
	arg.flags = 1U << 31;
	for (i = s->size; at && i < 2 * s->size; i++) {
		arg.bytes[i] = 1;
		KUNIT_EXPECT_EQ_MSG(test, call(test, at, s->cmd, &arg, arg.size), (long)-E2BIG,
				    "byte %u", i);
		arg.bytes[i] = 0;
	}
	if (at)
		usermem_end(test, at);
}

static void huge_size(struct kunit *test)
{
	static const u32 sizes[] = { PAGE_SIZE + 1, INT_MAX, U32_MAX };
	const struct subject *s = test->param_value;
	unsigned long at = usermem_begin(test);
	union argument arg = {};
	unsigned int i;

	for (i = 0; at && i < ARRAY_SIZE(sizes); i++) {
		arg.size = sizes[i];
		KUNIT_EXPECT_EQ(test, call(test, at, s->cmd, &arg, s->size), (long)-E2BIG);
	}
	if (at)
		usermem_end(test, at);
}

static void unknown_flags(struct kunit *test)
{
	const struct subject *s = test->param_value;
	unsigned long at = usermem_begin(test);
	int bit;

	for (bit = 0; at && bit < 32; bit++) {
		union argument arg = { .size = s->size, .flags = 1U << bit };

		if (arg.flags & s->known_flags)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, call(test, at, s->cmd, &arg, s->size), (long)-EOPNOTSUPP,
				    "flag %d", bit);
		arg.flags |= s->known_flags;
		KUNIT_EXPECT_EQ_MSG(test, call(test, at, s->cmd, &arg, s->size), (long)-EOPNOTSUPP,
				    "flag %d and known ones", bit);
	}
	if (at)
		usermem_end(test, at);
}

static void padding_is_zero(struct kunit *test)
{
	const struct subject *s = test->param_value;
	unsigned long at;
	int bit;

	if (!s->padding)
		kunit_skip(test, "has no padding");
	at = usermem_begin(test);
	for (bit = 0; at && bit < 32; bit++) {
		union argument arg = { .size = s->size };

		arg.bytes[s->padding + bit / 8] = 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, call(test, at, s->cmd, &arg, s->size), (long)-EOPNOTSUPP,
				    "bit %d", bit);
	}
	if (at)
		usermem_end(test, at);
}

static void bad_pointers(struct kunit *test)
{
	const struct subject *s = test->param_value;
	unsigned long at = usermem_begin(test);
	union argument arg = { .size = s->size };
	/* Nothing, behind the page, memory of the kernel, no address at all. */
	const unsigned long bad[] = { 0,	 at + PAGE_SIZE, (unsigned long)&arg, TASK_SIZE_MAX,
				      1UL << 63, ULONG_MAX - 3 };
	unsigned int i;

	for (i = 0; at && i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, ckpt_ioctl(test->priv, s->cmd, bad[i]), (long)-EFAULT,
				    "pointer %u", i);
	/* The size can be read, and nothing behind it; then all but the last bytes. */
	if (at) {
		KUNIT_EXPECT_EQ(test, call(test, at, s->cmd, &arg, 4), (long)-EFAULT);
		KUNIT_EXPECT_EQ(test, call(test, at, s->cmd, &arg, s->size - 4), (long)-EFAULT);
		usermem_end(test, at);
	}
}

static void busy_request(struct kunit *test)
{
	const struct subject *s = test->param_value;
	union argument arg = {};
	long ret;

	mutex_lock(&request(test)->lock);
	ret = simple(test, s->cmd, &arg, s->size);
	mutex_unlock(&request(test)->lock);
	if (s->waits)
		KUNIT_EXPECT_NE(test, ret, (long)-EBUSY);
	else
		KUNIT_EXPECT_EQ(test, ret, (long)-EBUSY);
	/* A failing call has given the request back. */
	KUNIT_EXPECT_TRUE(test, mutex_trylock(&request(test)->lock));
	mutex_unlock(&request(test)->lock);
}

static void needs_privilege(struct kunit *test)
{
	const struct subject *s = test->param_value;
	struct cred *cred = prepare_creds();
	union argument arg = {};
	const struct cred *old;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cap_lower(cred->cap_effective, CAP_SYS_ADMIN);
	old = override_creds(cred);
	KUNIT_EXPECT_EQ(test, simple(test, s->cmd, &arg, s->size), (long)-EPERM);
	revert_creds(old);
	put_cred(cred);
}

static bool is_known(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++)
		if (cmd == subjects[i].cmd)
			return true;
	return cmd == CKPT_IOC_FINISH || cmd == CKPT_IOC_FAIL || cmd == CKPT_IOC_TIMER_ID;
}

static void unknown_numbers(struct kunit *test)
{
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		if (!is_known(_IO(CKPT_IOC_TYPE, nr)))
			KUNIT_EXPECT_EQ_MSG(test, ckpt_ioctl(test->priv, _IO(CKPT_IOC_TYPE, nr), 0),
					    (long)-ENOTTY, "number %u", nr);
		KUNIT_EXPECT_EQ_MSG(test, ckpt_ioctl(test->priv, _IO(CKPT_IOC_TYPE + 1, nr), 0),
				    (long)-ENOTTY, "number %u of another type", nr);
		KUNIT_EXPECT_EQ_MSG(test, ckpt_ioctl(test->priv, _IOWR(CKPT_IOC_TYPE, nr, u64), 0),
				    (long)-ENOTTY, "number %u with a size", nr);
	}
}

static void script_calls_need_a_restore(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ckpt_ioctl(test->priv, CKPT_IOC_FINISH, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, ckpt_ioctl(test->priv, CKPT_IOC_FAIL, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, ckpt_ioctl(test->priv, CKPT_IOC_TIMER_ID, 0), (long)-EINVAL);
}

static void info_tells_versions(struct kunit *test)
{
	union argument arg = {};

	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_INFO, &arg, sizeof(arg.info)), 0L);
	KUNIT_EXPECT_EQ(test, arg.info.size, (u32)sizeof(arg.info));
	KUNIT_EXPECT_EQ(test, arg.info.abi_version, (u32)CKPT_ABI_VERSION);
	KUNIT_EXPECT_EQ(test, arg.info.image_version, (u32)CKPT_IMAGE_VERSION);
	KUNIT_EXPECT_NE(test, arg.info.module_version[0], '\0');
	KUNIT_EXPECT_LT(test, strnlen(arg.info.module_version, 32), (size_t)32);
}

static void status_of_a_new_request(struct kunit *test)
{
	union argument arg = {};

	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_STATUS, &arg, sizeof(arg.status)), 0L);
	KUNIT_EXPECT_EQ(test, arg.status.state, (u32)CKPT_STATE_IDLE);
	KUNIT_EXPECT_EQ(test, arg.status.nr_threads, 0U);
	KUNIT_EXPECT_EQ(test, arg.status.nr_processes, 0U);
	KUNIT_EXPECT_EQ(test, arg.status.error, 0);
}

static long freeze_what(struct kunit *test, u32 select, s32 id, u32 timeout_ms)
{
	union argument arg = {
		.freeze = { .select = select, .id = id, .timeout_ms = timeout_ms },
	};

	return simple(test, CKPT_IOC_FREEZE, &arg, sizeof(arg.freeze));
}

static long freeze(struct kunit *test, s32 pid, u32 timeout_ms)
{
	return freeze_what(test, CKPT_SELECT_TREE, pid, timeout_ms);
}

static void freeze_checks_its_values(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, freeze(test, 0, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, freeze(test, -1, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MIN, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MAX, 600001), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MAX, U32_MAX), (long)-EINVAL);
	KUNIT_EXPECT_FALSE(test, ckpt_messages_pending(&request(test)->messages));
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MAX, 600000), (long)-ESRCH);
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(&request(test)->messages));
	KUNIT_EXPECT_EQ(test, freeze(test, 1, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, request(test)->state, (unsigned int)CKPT_STATE_IDLE);
}

static void freeze_checks_what_is_named(struct kunit *test)
{
	u32 select;

	for (select = CKPT_SELECT_TREE; select < CKPT_SELECT_CGROUP; select++) {
		KUNIT_EXPECT_EQ(test, freeze_what(test, select, 0, 1), (long)-EINVAL);
		KUNIT_EXPECT_EQ(test, freeze_what(test, select, INT_MIN, 1), (long)-EINVAL);
		KUNIT_EXPECT_EQ(test, freeze_what(test, select, INT_MAX, 1), (long)-ESRCH);
	}
	KUNIT_EXPECT_EQ(test, freeze_what(test, CKPT_SELECT_CGROUP, -1, 1), (long)-EBADF);
	KUNIT_EXPECT_EQ(test, freeze_what(test, CKPT_SELECT_CGROUP + 1, 1, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, freeze_what(test, U32_MAX, 1, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, request(test)->state, (unsigned int)CKPT_STATE_IDLE);
}

static void freeze_is_for_idle_requests(struct kunit *test)
{
	request(test)->state = CKPT_STATE_FROZEN;
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MAX, 1), (long)-EBUSY);
	request(test)->state = CKPT_STATE_IMAGE;
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MAX, 1), (long)-EBUSY);
	request(test)->state = CKPT_STATE_THAWED;
	KUNIT_EXPECT_EQ(test, freeze(test, INT_MAX, 1), (long)-ESRCH);
}

static void nothing_is_frozen(struct kunit *test)
{
	union argument arg = { .save = { .fd = -1 } };

	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_SAVE, &arg, sizeof(arg.save)), (long)-EINVAL);
	arg.flags = CKPT_SAVE_CHECK;
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_SAVE, &arg, sizeof(arg.save)), (long)-EINVAL);
	arg.flags = 0;
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_THAW, &arg, sizeof(struct ckpt_thaw)),
			(long)-EINVAL);
	arg.kill.signal = SIGKILL;
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_KILL, &arg, sizeof(arg.kill)), (long)-EINVAL);
}

static void no_image_is_open(struct kunit *test)
{
	union argument arg = {};

	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_TASKS, &arg, sizeof(arg.tasks)), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_RESTORE, &arg, sizeof(arg.restore)),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_WAIT, &arg, sizeof(arg.wait)), (long)-EINVAL);
}

static void open_image_needs_a_descriptor(struct kunit *test)
{
	union argument arg = { .open_image = { .fd = -1 } };

	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_OPEN_IMAGE, &arg, sizeof(arg.open_image)),
			(long)-EBADF);
	arg.open_image.fd = INT_MAX;
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_OPEN_IMAGE, &arg, sizeof(arg.open_image)),
			(long)-EBADF);
	request(test)->state = CKPT_STATE_IMAGE;
	KUNIT_EXPECT_EQ(test, simple(test, CKPT_IOC_OPEN_IMAGE, &arg, sizeof(arg.open_image)),
			(long)-EBUSY);
}

static void restart_signal_is_a_signal(struct kunit *test)
{
	static const u32 bad[] = { SIGKILL, SIGSTOP, _NSIG + 1, INT_MAX, U32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		union argument arg = { .restart_signal = { .signal = bad[i] } };

		KUNIT_EXPECT_EQ(test,
				simple(test, CKPT_IOC_RESTART_SIGNAL, &arg,
				       sizeof(arg.restart_signal)),
				(long)-EINVAL);
	}
}

/* clang-format off */

static struct kunit_case ioctl_cases[] = {
	KUNIT_CASE_PARAM(each_size, subject_gen_params),
	KUNIT_CASE_PARAM(surplus_is_zero, subject_gen_params),
	KUNIT_CASE_PARAM(huge_size, subject_gen_params),
	KUNIT_CASE_PARAM(unknown_flags, subject_gen_params),
	KUNIT_CASE_PARAM(padding_is_zero, subject_gen_params),
	KUNIT_CASE_PARAM(bad_pointers, subject_gen_params),
	KUNIT_CASE_PARAM(busy_request, subject_gen_params),
	KUNIT_CASE_PARAM(needs_privilege, subject_gen_params),
	KUNIT_CASE(unknown_numbers),
	KUNIT_CASE(script_calls_need_a_restore),
	KUNIT_CASE(info_tells_versions),
	KUNIT_CASE(status_of_a_new_request),
	KUNIT_CASE(freeze_checks_its_values),
	KUNIT_CASE(freeze_checks_what_is_named),
	KUNIT_CASE(freeze_is_for_idle_requests),
	KUNIT_CASE(nothing_is_frozen),
	KUNIT_CASE(no_image_is_open),
	KUNIT_CASE(open_image_needs_a_descriptor),
	KUNIT_CASE(restart_signal_is_a_signal),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_ioctl_suite = {
	.name = "ioctl",
	.init = ioctl_init,
	.exit = ioctl_exit,
	.test_cases = ioctl_cases,
};
