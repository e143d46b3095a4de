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
 * flags, position and name; the type adds what only it knows. What several descriptions share (a
 * pipe, an object of shared memory) has a record and a kind of its own, to which
 * ckpt_image_file.object refers.
 */

/* Flags of open(2) that a saved description may have. */
#define CKPT_FILE_KNOWN_FLAGS                                                              \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | __O_SYNC | O_DIRECT | O_LARGEFILE | \
	 O_NOATIME | O_DIRECTORY | O_NOFOLLOW)

/**
 * struct ckpt_file_type - one type of open file
 * @type: CKPT_FILE_* of its records
 * @has_path: it is found again by its path, which must lead to it at the save
 * @recognise: whether a file is of this type; never one that was opened with O_PATH
 * @save: add to the record (already filled in from the file: type, flags, position and path) what
 *	is the type's own, or call ckpt_save_refuse() and return 0. NULL: nothing is
 * @verify: look at a record of the image being opened, of which kind_file.c has checked type,
 *	flags, path and position; changes nothing, says why by ckpt_restore_error(). NULL: there
 *	is nothing to check, and the record must not name an object
 * @open: make the open file of a record or return an ERR_PTR, having told why; called once for
 *	each record, when the objects of other kinds (pipes, shared memory) are there. NULL: the
 *	kind of the object does it
 */
struct ckpt_file_type {
	u32 type;
	bool has_path;
	bool (*recognise)(struct ckpt_saver *s, const struct file *file);
	int (*save)(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i);
	int (*verify)(struct ckpt_restorer *r, const struct ckpt_record *rec);
	struct file *(*open)(struct ckpt_restorer *r, const struct ckpt_record *rec);
};

extern const struct ckpt_file_type ckpt_file_regular;
extern const struct ckpt_file_type ckpt_file_directory;
extern const struct ckpt_file_type ckpt_file_device;
extern const struct ckpt_file_type ckpt_file_tty;
extern const struct ckpt_file_type ckpt_file_pipe;
extern const struct ckpt_file_type ckpt_file_shm;

/* The type of an open file that is being saved, or NULL when none recognises it. */
const struct ckpt_file_type *ckpt_file_type_of(struct ckpt_saver *s, const struct file *file);

/* The row of a CKPT_FILE_* of an image, or NULL. */
const struct ckpt_file_type *ckpt_file_type_find(u32 type);

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
