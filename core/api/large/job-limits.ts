// SPDX-License-Identifier: Apache-2.0

/** Jobs of one institution or device that are kept at a time, over or not. Beyond it nothing is done asynchronously. */
export const MAX_JOBS = 64
/** How long a job may take, and how long what came of it is kept, in milliseconds: six hours each. */
export const JOB_LIFE_MS = 6 * 3_600_000
/** For how long one request takes a job on, in milliseconds; gateways cut requests at 30 s. */
export const MAX_JOB_SLICE_MS = 10_000
