// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, it } from '@jest/globals'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'

/** An adapter to test. */
export interface Subject {
  readonly name: string
  /** True for an adapter that signs uploads. */
  readonly uploads?: true
  /** How its store is reached by whoever uploads, where that is not simply by HTTP. */
  readonly outside?: Fetch
  /** A platform with nothing in it, and the same data opened again after it was closed. */
  readonly open: () => Promise<Opened>
  /** Why a part of the contract cannot be tested with it. */
  readonly skips: {
    readonly reopen?: string
    /** That what was wrapped and then changed, or wrapped by another key, does not open. */
    readonly tampered?: string
    /** The store does not check length and hash by itself; the home does when it is appended. */
    readonly uploadTerms?: string
  }
}

export interface Opened {
  readonly platform: Platform
  readonly reopen: () => Promise<Platform>
}

/** One platform for all tests of a suite, which keep apart by the names that they use. */
export function sharedPlatform(subject: Subject): () => Platform {
  const shared: { platform?: Platform } = {}
  beforeAll(async () => {
    shared.platform = (await subject.open()).platform
  })
  afterAll(async () => shared.platform?.close())
  return () => {
    if (!shared.platform) throw new Error('the platform is not open')
    return shared.platform
  }
}

/** A test, or one that is skipped by name with its reason. */
export function itUnless(reason: string | undefined, name: string, test: () => Promise<void>): void {
  if (reason === undefined) it(name, test)
  else it.skip(`${name} (skipped: ${reason})`, test)
}
