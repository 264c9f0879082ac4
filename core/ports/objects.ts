// SPDX-License-Identifier: Apache-2.0

/** Half-open byte range [start, end). */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const NAME = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[A-Za-z0-9_./-]{1,200}$/

/** @throws RangeError for a name that is not 1..200 of A-Z a-z 0-9 - _ / . or has an empty or dotted segment */
export function checkObjectName(name: string): void {
  if (!NAME.test(name)) throw new RangeError('an object name has a character or segment that is not allowed')
}

/**
 * Immutable byte strings by name (see `checkObjectName`).
 *
 * Consistency: strong after `store`. Durability: durable when `store` resolves.
 * Failure: a rejected `store` may have been applied; storing the same bytes again is harmless.
 * Trust: none; every byte is checked against a signed hash by whoever reads it.
 * @throws AmpereError STORE_UNAVAILABLE, STORE_FULL
 */
export interface FetchObjects {
  /** null when absent. A range past the end gives the bytes there are. */
  fetch(name: string, range?: ByteRange): Promise<Uint8Array | null>
}

export interface StoreObjects extends FetchObjects {
  /** First writer wins: an existing object is never changed. */
  store(name: string, bytes: Uint8Array): Promise<'stored' | 'exists'>
}

export interface ShredObjects extends StoreObjects {
  /** Removes for good; idempotent. Backups of the store are outside this promise. */
  shred(name: string): Promise<void>
}

export type ObjectAccess = 'fetch' | 'store' | 'shred'
export type ObjectsOf<A extends ObjectAccess> = A extends 'shred'
  ? ShredObjects
  : A extends 'store'
    ? StoreObjects
    : FetchObjects
