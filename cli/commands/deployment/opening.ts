// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { DemoWitness } from '../../demo/witness/launch.ts'
import type { Settings } from '../../deployment/settings.ts'
import type { Common } from '../../terminal/screen.ts'

export interface StartOptions extends Common {
  readonly demo?: boolean
  readonly port?: number
  readonly log?: boolean
  /** Base URL of the collector that telemetry goes to. */
  readonly otlp?: string
  /** The bridges demand a token even while no client is registered. */
  readonly requireLogin?: boolean
  /** Set up, tell the story, and end: for tests and scripts. */
  readonly once?: boolean
  /** False with --no-witness: the demo starts no second process. */
  readonly witness?: boolean
}

/** What serving begins with. */
export interface Opening {
  readonly folder: string
  readonly settings: Settings
  readonly passphrase: StretchedPassphrase
  /** Milliseconds since 1970. */
  readonly startedMs: number
  /** The second process of a demo. */
  readonly witness: DemoWitness | null
}
