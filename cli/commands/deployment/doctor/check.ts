// SPDX-License-Identifier: Apache-2.0

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  /** `note`: nothing is wrong, but it should be known, or it could not be looked at. */
  readonly status: 'ok' | 'wrong' | 'note'
  readonly says: string
  /** What to do about it. */
  readonly next?: string
}

export const ok = (name: string, says: string): Check => ({ name, status: 'ok', says })
export const note = (name: string, says: string, next?: string): Check => ({
  name,
  status: 'note',
  says,
  ...(next === undefined ? {} : { next }),
})
export const wrong = (name: string, says: string, next: string): Check => ({
  name,
  status: 'wrong',
  says,
  next,
})
