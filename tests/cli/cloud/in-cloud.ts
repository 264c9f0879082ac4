// SPDX-License-Identifier: Apache-2.0
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { asDeploymentId, asDigest } from '#core/bytes/ids.ts'
import { freshFolder } from '../harness.ts'
import { told } from '../told.ts'

/** A data folder that knows a served home as one that it deployed, and nothing else. */
export interface InCloud {
  readonly data: string
  /** The folder of that home in it. */
  readonly folder: string
  /** Runs a command about it. */
  readonly ampere: (...args: string[]) => ReturnType<typeof told>
}

/**
 * Has a home that a server of `served` serves known as one in a cloud, with the keys of its institutions, as whoever deployed it
 * has them. How it is reached does not differ: by its origin.
 */
export function asDeployed(served: string, stage: string): InCloud {
  const settings = readSettings(served)
  if (!settings) throw new Error('nothing was set up')
  const data = freshFolder()
  const folder = cloudFolder(data, 'aws', stage)
  const { deployment, origin, registry, log, institutions } = settings
  writeCloudDeployment(folder, {
    v: 1,
    provider: 'aws',
    stage,
    region: 'eu-central-1',
    parameters: {},
    institutions: institutions.map((id) => ({ id, name: id })),
    demo: settings.demo !== null,
    home: {
      deployment: asDeploymentId(deployment),
      origin,
      registry: asDigest(registry),
      log: [...log],
      witness: [],
    },
  })
  cpSync(join(served, 'passphrase'), join(folder, 'passphrase'))
  for (const id of institutions)
    cpSync(join(served, 'institutions', id, 'keys.json'), join(folder, 'institutions', id, 'keys.json'))
  return { data, folder, ampere: (...args) => told(data, ...args, '--cloud', `aws-${stage}`) }
}
