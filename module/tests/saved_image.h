/* SPDX-License-Identifier: GPL-2.0-only */
/* The image of a real program, which whoever loads the tests may give them. */
#ifndef CKPT_TESTS_SAVED_IMAGE_H
#define CKPT_TESTS_SAVED_IMAGE_H

/* Its path, or an empty text. */
extern char *ckpt_kunit_image;

#endif /* CKPT_TESTS_SAVED_IMAGE_H */
