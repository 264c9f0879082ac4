// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { IdleCost } from '#infra/prices/idle-cost.ts'
import type { CloudDeployment } from './cloud-folder.ts'
import type { HomeKeys } from './founding/home-keys.ts'
import type { Provider } from './providers.ts'

/** What the steps of a deployment share. */
export interface Deploying {
  readonly folder: string
  readonly passphrase: StretchedPassphrase
  readonly say: (line: string) => void
  readonly pause: (ms: number) => Promise<void>
}

/** What a deployment would be made of. */
export interface Plan {
  readonly stage: string
  readonly region: string
  /** How many of each type of resource. */
  readonly resources: Readonly<Record<string, number>>
  readonly functions: readonly string[]
  /** What it costs in a month in which nobody uses it, by the prices in this repository. */
  readonly idle: IdleCost
  readonly lines: readonly string[]
}

/** A half of a deployment: what it keeps, or what runs. */
export interface Part {
  readonly name: string
  /** In the provider's words, or null where it is not there. */
  readonly status: string | null
  readonly isWhole: boolean
}

/** How a deployment stands, as its provider sees it. */
export interface Standing {
  readonly stores: Part
  readonly functions: Part
}

/** What removing would do, and does. */
export interface Removal {
  /** Said before anything is removed, with the account in which that would be. */
  readonly says: readonly string[]
  readonly remove: () => Promise<void>
  /** False where nothing of what would be removed is there. */
  readonly isThere: boolean
  /** What was removed, in a few words. */
  readonly removed: string
}

/** A home in a cloud whose stores and keys whoever migrates has, for that time. */
export interface Moving {
  /** Opens what the needs of whoever migrates name (infra/permissions/identities.ts), with no other right. */
  readonly open: () => Platform
}

/** One that has its keys, and no registry yet; nothing answers there. */
export interface Receiving extends Moving {
  /** What is to be remembered of the deployment, which has no home yet. */
  readonly deployment: CloudDeployment
  readonly origin: string
  readonly keys: HomeKeys
}

/** One that is moved away, and answers until it is stopped. */
export interface Leaving extends Moving {
  /** Removes what runs; what is kept stays. */
  readonly stop: () => Promise<void>
  /** Takes back what whoever migrates was given. */
  readonly end: () => Promise<void>
}

/** What a provider does for a deployment: the same acts and words for each. Every method throws a DeployFailure. */
export interface Cloud {
  readonly provider: Provider
  /** What `--param` may name. */
  readonly parameters: readonly string[]
  /** Where a new deployment is made if nobody says where. */
  readonly region: string
  /** Says what would be made, and what is in the way of it. Changes nothing. @throws AmpereError CONFIGURATION for what was given wrongly, UNSUPPORTED */
  readonly plan: (wanted: CloudDeployment, asks: boolean) => Promise<Plan>
  /** Makes it, from whatever there is, and answers what is to be remembered. */
  readonly deploy: (wanted: CloudDeployment, deploying: Deploying) => Promise<CloudDeployment>
  /**
   * Makes what a home keeps, with its keys and without a registry, and lets whoever migrates fill it; from whatever there is. It
   * answers nothing before `deploy`, which takes those rights back.
   */
  readonly receive: (wanted: CloudDeployment, deploying: Deploying) => Promise<Receiving>
  /** Lets whoever migrates read a home, and write what it ends with; `end` or `deploy` takes that back. */
  readonly leave: (known: CloudDeployment, deploying: Deploying) => Promise<Leaving>
  /** Opens what a backup reads of a home, with the right to that alone. Asks no more than who is asking, and changes nothing. */
  readonly read: (known: CloudDeployment) => Promise<Platform>
  /** How the home of a deployment is reached. */
  readonly reach: (origin: string) => Fetch
  readonly standing: (known: CloudDeployment) => Promise<Standing>
  /** @param erases also what is kept */
  readonly removal: (known: CloudDeployment, erases: boolean) => Promise<Removal>
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
