// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that compute with AVX and meet at a barrier of condition variables after each step. The
 * result depends on every bit of every vector register and on every meeting; it is the same for
 * each run.
 *
 * usage: threads THREADS STEPS
 */

#define _GNU_SOURCE
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_THREADS 64
#define ROUNDS 15000
#define avx __attribute__((target("avx2")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_there = PTHREAD_COND_INITIALIZER;
static unsigned int nr_threads, nr_steps, nr_waiting, generation;
static double results[MAX_THREADS];
static __thread unsigned long meetings;

/* The last to come adds up and tells; all others wait for it. */
static void meet(void)
{
	unsigned int mine;
	double sum = 0;

	pthread_mutex_lock(&lock);
	mine = generation;
	if (++nr_waiting == nr_threads) {
		for (unsigned int i = 0; i < nr_threads; i++)
			sum += results[i];
		printf("step %u sum %.17g\n", generation, sum);
		fflush(stdout);
		nr_waiting = 0;
		generation++;
		pthread_cond_broadcast(&all_there);
	}
	while (mine == generation)
		pthread_cond_wait(&all_there, &lock);
	pthread_mutex_unlock(&lock);
	meetings++;
}

/* Eight chains of four doubles that live in ymm registers, and one of integers. */
avx static double compute(double seed)
{
	__m256d chain[8], factor = _mm256_set1_pd(3.61), one = _mm256_set1_pd(1);
	__m256i bits = _mm256_set1_epi64x(88172645463325252);
	double sum[4] = {};
	long words[4];

	for (int i = 0; i < 8; i++)
		chain[i] = _mm256_set_pd(seed, seed / 2, seed / 3, seed / (i + 4));
	for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			chain[i] = _mm256_mul_pd(_mm256_mul_pd(factor, chain[i]),
						 _mm256_sub_pd(one, chain[i]));
		bits = _mm256_xor_si256(bits, _mm256_slli_epi64(bits, 13));
		bits = _mm256_xor_si256(bits, _mm256_srli_epi64(bits, 7));
		bits = _mm256_xor_si256(bits, _mm256_slli_epi64(bits, 17));
	}
	for (int i = 1; i < 8; i++)
		chain[0] = _mm256_add_pd(chain[0], chain[i]);
	_mm256_storeu_pd(sum, chain[0]);
	_mm256_storeu_si256((__m256i *)words, bits);
	return (sum[0] + sum[1] + sum[2] + sum[3]) / 40 + (words[0] & 0xff) / 1e4;
}

static void *work(void *arg)
{
	unsigned int me = (unsigned long)arg;
	double value = 0.3 + me / 100.0;

	for (unsigned int step = 0; step < nr_steps; step++) {
		value = compute(0.1 + value / 2);
		results[me] = value;
		meet();
	}
	return (void *)meetings;
}

int main(int argc, char **argv)
{
	pthread_t threads[MAX_THREADS];
	unsigned long total = 0;
	void *result;

	nr_threads = argc > 1 ? atoi(argv[1]) : 0;
	nr_steps = argc > 2 ? atoi(argv[2]) : 0;
	if (!nr_threads || nr_threads > MAX_THREADS || !nr_steps) {
		fprintf(stderr, "usage: threads THREADS STEPS\n");
		return 2;
	}
	for (unsigned long i = 0; i < nr_threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			return 1;
	for (unsigned int i = 0; i < nr_threads; i++) {
		pthread_join(threads[i], &result);
		total += (unsigned long)result;
	}
	printf("%lu meetings\n", total);
	return total != (unsigned long)nr_threads * nr_steps;
}
