// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { parseJws } from '#core/block/jws.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type Digest } from '#core/bytes/ids.ts'
import { once } from '#core/order/once.ts'
import type { Platform } from '#core/ports/needs.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import type { Cloud, Deploying } from '../../cloud/cloud.ts'
import {
  cloudFolder,
  readCloudDeployment,
  writeCloudDeployment,
  type CloudDeployment,
} from '../../cloud/cloud-folder.ts'
import { untilReady } from '../../cloud/smoke.ts'
import { wantedOf, type Founder } from '../../cloud/wanted.ts'
import { makeFolder } from '../../deployment/files.ts'
import { refuse, usage } from '../../program/refuse.ts'
import type { Screen } from '../../terminal/screen.ts'
import type { MigrationPlan } from '../plan.ts'
import type { MoveTarget } from './target.ts'

/** What is given of a home in a cloud. */
export interface CloudTargetOptions {
  readonly region?: string
  readonly subscription?: string
  readonly param?: readonly string[]
}

/** A home in a cloud, and who moves into it. */
export interface MovingIn {
  readonly cloud: Cloud
  readonly stage: string
  /** The data folder in which what is known of deployments lies. */
  readonly data: string
  readonly institutions: readonly Founder[]
  readonly demo: boolean
  readonly passphrase: StretchedPassphrase
  readonly screen: Screen
  readonly pause: Deploying['pause']
}

/** A home in a cloud that is made for this: it has no registry before, and nothing of it runs before it has everything. */
export function cloudTarget(into: MovingIn, options: CloudTargetOptions): MoveTarget {
  const { cloud, stage, data, screen, passphrase, pause } = into
  const { provider } = cloud
  const folder = cloudFolder(data, provider, stage)
  const name = `${provider}-${stage}`
  const deploying = { folder, passphrase, say: screen.say, pause }
  const receiving = once(async () => {
    const wanted = wantedIn(into, folder, options)
    for (const line of (await cloud.plan(wanted, false)).lines) screen.say(line)
    makeFolder(folder)
    return cloud.receive({ ...wanted, receives: true }, deploying)
  })
  return {
    name,
    folder,
    make: async (registry) => {
      const { origin, open } = await receiving()
      await checkEmpty(open(), registry, name)
      return origin
    },
    open: async ({ origin, registry }) => {
      const received = await receiving()
      if (received.origin !== origin)
        throw refuse('CONFIGURATION', `${name} is at ${received.origin}, and the move was begun to ${origin}`)
      await checkEmpty(received.open(), registry as Digest, name)
      return received.open()
    },
    serve: async (plan) => {
      const { deployment, keys } = await receiving()
      const { receives: _, ...known } = deployment
      const home = { ...placeOf(plan), registry: plan.registry as Digest, ...keys }
      writeCloudDeployment(folder, { ...known, home })
      screen.say('All of it is there: now its functions.')
      await cloud.deploy({ ...known, home }, deploying)
      await untilReady(plan.origin, cloud.reach(plan.origin), pause)
    },
    holds: `or npx ampere deploy destroy --provider ${provider} --stage ${stage} --erase-data and remove ${folder},`,
    next: `npx ampere deploy status --provider ${provider} --stage ${stage}`,
  }
}

function placeOf({ deployment, origin }: MigrationPlan) {
  return { deployment: asDeploymentId(deployment), origin }
}

/** @throws AmpereError ALREADY_EXISTS for a stage with a home that is not this one; CommanderError (usage) without a region */
function wantedIn(
  { cloud, stage, institutions, demo }: MovingIn,
  folder: string,
  { region, subscription, param }: CloudTargetOptions,
): CloudDeployment {
  const known = readCloudDeployment(folder)
  const place = region ?? known?.region
  if (place === undefined) throw usage(`--region: where ${cloud.provider}-${stage} is to be`)
  if (known?.home === null && known.receives !== true)
    throw refuse(
      'ALREADY_EXISTS',
      `${cloud.provider}-${stage} was begun as a home of its own`,
      'name another stage',
    )
  // Its founders are those of the registry that comes: they are the same each time.
  const before = known && { ...known, institutions: [...institutions] }
  return wantedOf(cloud, before, {
    stage,
    region: place,
    subscription,
    param,
    institution: institutions,
    demo,
  })
}

/** Stores with another registry are another home's. @throws AmpereError ALREADY_EXISTS */
async function checkEmpty(platform: Platform, registry: Digest, name: string): Promise<void> {
  try {
    const row = await platform.table('registry').get(REGISTRY_PARTITION, heightKey(0))
    if (row === null || parseJws(fromUtf8(row.value), 'ampere-registry+jws').id === registry) return
    throw refuse('ALREADY_EXISTS', `the stores of ${name} have another registry`, 'name another stage')
  } finally {
    await platform.close()
  }
}
