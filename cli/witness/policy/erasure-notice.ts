// SPDX-License-Identifier: Apache-2.0

/**
 * What a change of who witnesses means for erasures, wherever it is made: nobody can tell one that waited before it from
 * one that did not.
 */
export const ERASURE_NOTICE = [
  'Erasures: who verifies with the new policy goes by when its witnesses saw a request and its completion. One that waits may',
  'have to wait its 72 hours anew, and of one that was completed others may say delay-unseen for good, unless the witnesses that saw',
  'it still make up a quorum: see "When the policy changes" in docs/OPERATIONS.md before the server is restarted.',
] as const
