// SPDX-License-Identifier: Apache-2.0
import type { BodiesAnswer } from '#core/api/large/upload.ts'
import { MAX_APPEND_BYTES } from '#core/api/limits.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { LogKey } from '#core/log/note/key.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Now } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import type { KeptHome } from '#core/server/mirror/kept.ts'
import type { WatchedLog } from '#core/server/monitor/needs.ts'
import type { LogGrowth } from '../writer/await-receipt.ts'
import type { Hosting } from './app.ts'

/** What a role is opened with beside its own ports: the same in one process with all others and alone. */
export interface Serving {
  /** The home, by the clock that its statements are dated with. */
  readonly home: Home
  readonly hosting: Hosting
  /** Who must have cosigned before a receipt is witnessed; without one none ever is. */
  readonly policy: Policy | null
  /** By which blocks are admitted and statements dated. @throws AmpereError KEY_UNAVAILABLE while it cannot be trusted */
  readonly dated: Now
  /** The public keys of the home's log and of its witness: most roles hold neither. */
  readonly logKeys: readonly LogKey[]
  readonly witnessKeys: readonly LogKey[]
  /** Names of all roles of the home. */
  readonly roles: readonly string[]
  /** Institutions whose bridges run in the same account, or process. */
  readonly bridges: readonly string[]
  /** The OpenAPI document of the whole home, as text. */
  readonly document: () => string
  /** False while the log is known not to be written. */
  readonly isLogging: () => boolean | Promise<boolean>
  /** What fits through here in one request, in one answer and in one upload. */
  readonly bodies: BodiesAnswer
  /** Has an erasure carried out that the block at `height` completes; another role may do it soon after this resolves. */
  readonly carryOut: (chain: ChainId, height: number) => Promise<void>
  /** Has the log grow for those who wait for it, as far as this process can. */
  readonly grow: LogGrowth
  readonly pause: (ms: number) => Promise<void>
  /** Logs of others that are monitored here; asked each time they are looked at. */
  readonly watched: () => readonly WatchedLog[]
  /** Homes that are mirrored here; asked each time somebody asks for a copy. */
  readonly mirrored: () => readonly KeptHome[]
}

/** What fits through here. */
export function bodiesOf({ uploads }: Platform, { maxRequestBytes, maxAnswerBytes }: Hosting): BodiesAnswer {
  return {
    maxRequestBytes: maxRequestBytes ?? MAX_APPEND_BYTES,
    maxAnswerBytes: maxAnswerBytes ?? null,
    maxUploadBytes: uploads?.maxBytes ?? null,
  }
}
