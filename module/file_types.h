/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of types of open files: what the file kind calls, never knowing a type by name. */
#ifndef CKPT_FILE_TYPES_H
#define CKPT_FILE_TYPES_H

#include <linux/ckpt_image.h>
#include <linux/fcntl.h>
#include <linux/types.h>

#include "fds.h"

struct ckpt_record;
struct ckpt_restorer;
struct ckpt_saver;
struct file;

/**
 * DOC: How to add a type of open file
 *
 * - a value CKPT_FILE_* in uapi/linux/ckpt_image.h;
 * - a file module/file_X.c, which exports its row &struct ckpt_file_type and nothing else;
 * - a line for the row here and in the table of file_types.c; a file is of the first type that
 *   recognises it;
 * - a row in the table of Documentation/image-format.md, and no longer one in limits.md.
 *
 * The file kind (kind_file.c) saves one CKPT_REC_FILE for each open file description, with type,
 * flags, position and name; the type adds what only it knows: to the structure, or as bytes of its
 * own behind the path. What several descriptions share (a pipe, an object of shared memory) has a
 * record and a kind of its own, to which ckpt_image_file.object refers.
 *
 * At a restore a file is made once for the job, in one of two ways. Either the kernel exports what
 * opens it: hook @open. Or only a system call makes it: hook @make appends that call to a script,
 * which the first process runs before it gets its descriptors; kind_file.c takes the file that is
 * its result. Later @script may append calls for a process that has the file as a descriptor, and
 * @settle completes what needs all files to be there with their content.
 */

/* Flags of open(2) that a saved description may have. */
#define CKPT_FILE_KNOWN_FLAGS                                                              \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | __O_SYNC | O_DIRECT | O_LARGEFILE | \
	 O_NOATIME | O_DIRECTORY | O_NOFOLLOW)

/**
 * struct ckpt_file_own - bytes of a type's own, stored in a record behind the path
 * @data: the bytes; when saving kvfree() is due
 * @len: how many
 */
struct ckpt_file_own {
	void *data;
	size_t len;
};

/**
 * struct ckpt_file_type - one type of open file
 * @type: CKPT_FILE_* of its records
 * @has_path: it is found again by its path, which must lead to it at the save
 * @is_private: it has state that would be lost to others who have it open too: such are refused
 * @own_len: shortest length of the type's own bytes, which @verify may count on
 * @recognise: whether a file is of this type; never one that was opened with O_PATH
 * @save: add to the record (already filled in from the file: type, flags, position and path) what
 *	is the type's own, and to @own by ckpt_file_own_alloc(); or call ckpt_save_refuse() and
 *	return 0. NULL: nothing is
 * @verify: look at a record of the image being opened, of which kind_file.c has checked type,
 *	flags, path and position; changes nothing, says why by ckpt_restore_error(). NULL: there
 *	is nothing to check, and the record must not name an object
 * @open: make the open file of a record or return an ERR_PTR, having told why; called once for
 *	each record, when the objects of other kinds (pipes, shared memory) are there. NULL: @make
 *	or the kind of the object does it
 * @make: append to r->script the one system call that makes the file of a record and returns its
 *	descriptor. O_NONBLOCK and the like are set by kind_file.c
 * @script: append to r->script what the process does to a file that it has under the number @fd;
 *	called for the first process that has it, when all descriptors are there
 * @settle: called once for each record, in the context of any process, when all scripts are through
 *	and pipes have their content
 */
struct ckpt_file_type {
	u32 type;
	bool has_path;
	bool is_private;
	size_t own_len;
	bool (*recognise)(struct ckpt_saver *s, const struct file *file);
	int (*save)(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		    struct ckpt_file_own *own);
	int (*verify)(struct ckpt_restorer *r, const struct ckpt_record *rec);
	struct file *(*open)(struct ckpt_restorer *r, const struct ckpt_record *rec);
	int (*make)(struct ckpt_restorer *r, const struct ckpt_record *rec);
	int (*script)(struct ckpt_restorer *r, const struct ckpt_record *rec, int fd);
	int (*settle)(struct ckpt_restorer *r, const struct ckpt_record *rec);
};

extern const struct ckpt_file_type ckpt_file_regular;
extern const struct ckpt_file_type ckpt_file_directory;
extern const struct ckpt_file_type ckpt_file_device;
extern const struct ckpt_file_type ckpt_file_ptmx;
extern const struct ckpt_file_type ckpt_file_pts;
extern const struct ckpt_file_type ckpt_file_tty;
extern const struct ckpt_file_type ckpt_file_pipe;
extern const struct ckpt_file_type ckpt_file_shm;
extern const struct ckpt_file_type ckpt_file_eventfd;
extern const struct ckpt_file_type ckpt_file_timerfd;
extern const struct ckpt_file_type ckpt_file_signalfd;
extern const struct ckpt_file_type ckpt_file_epoll;
extern const struct ckpt_file_type ckpt_file_socket;

/* The type of an open file that is being saved, or NULL when none recognises it. */
const struct ckpt_file_type *ckpt_file_type_of(struct ckpt_saver *s, const struct file *file);

/* The row of a CKPT_FILE_* of an image, or NULL. */
const struct ckpt_file_type *ckpt_file_type_find(u32 type);

/* Zeroed bytes for @own, or ERR_PTR(-ENOMEM). */
void *ckpt_file_own_alloc(struct ckpt_file_own *own, size_t len);

/* The bytes of the type's own in a record whose path was verified. */
struct ckpt_file_own ckpt_file_own(const struct ckpt_record *rec);

/* Whether a file has no inode of its own but this name, such as "[eventfd]". */
bool ckpt_file_is_anon(const struct file *file, const char *name);

/**
 * ckpt_file_open_path() - open a file again by the path of its record, at its position
 * @r: the restore
 * @i: the record
 * @mode: S_IF* that it must have
 *
 * Return: the file or an ERR_PTR; the reason was told
 */
struct file *ckpt_file_open_path(struct ckpt_restorer *r, const struct ckpt_image_file *i,
				 umode_t mode);

#endif /* CKPT_FILE_TYPES_H */
