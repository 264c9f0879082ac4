// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { CATALOGUE } from '#cli/catalogue/all.ts'
import type { Cloud } from '#cli/cloud/cloud.ts'
import { readCloudDeployment, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { configText, statedDays, toldOf } from '#cli/cloud/config-text.ts'
import { founding } from '#cli/cloud/founding/founding.ts'
import { makeHomeKeys } from '#cli/cloud/founding/home-keys.ts'
import { backUpOn } from '#cli/commands/backup/backup.ts'
import { migrateOn } from '#cli/commands/backup/migrate.ts'
import { restoreOn } from '#cli/commands/backup/restore.ts'
import { deployOn } from '#cli/commands/cloud/deploy.ts'
import type { Moves } from '#infra/permissions/identities.ts'
import type { Provider } from '#cli/cloud/providers.ts'
import { runCommand } from '#cli/program/program.ts'
import { AmpereError } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { parseConfig } from '#functions/host/cloud/config.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { testTerminal, type Ended } from '#tests/cli/harness.ts'
import { openApart, type Apart } from '#tests/functions/host/apart.ts'

export const CLOUD_ORIGIN = 'https://home.cloud.example'
export const OTHER_ORIGIN = 'https://other.cloud.example'
/** For how long it keeps a key that was destroyed. */
const KEY_DAYS = 7
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))

/**
 * A stand-in for a provider: one deployment, with what it keeps in memory. Only what the steps of a provider promise is like one:
 * the rights of whoever migrates are there from `receive` to `deploy`, and it answers once it was deployed.
 * @param around what whoever it is for has of the stores
 */
export function fakeCloud(
  around: (platform: Platform, who: Moves | 'backs up') => Platform = (all) => all,
  provider: Provider = 'aws',
  platform: Platform = openMemory({ now: () => Date.now(), random }),
) {
  const origin = provider === 'aws' ? CLOUD_ORIGIN : OTHER_ORIGIN
  const state: { mayMove: boolean; home: Apart | null; steps: string[]; fails: string | null } = {
    mayMove: false,
    home: null,
    steps: [],
    fails: null,
  }
  const step = (name: string) => {
    state.steps.push(name)
    if (state.fails === name) throw new AmpereError('STORE_UNAVAILABLE', `${name} fails in this test`)
  }
  const cloud: Cloud = {
    provider,
    parameters: [],
    region: 'eu-central-1',
    plan: async ({ stage, region }) => {
      const idle = { lines: [] } as never
      return { stage, region, resources: {}, functions: [], idle, lines: ['a plan'] }
    },
    receive: async (wanted, { folder }) => {
      step('before receive')
      writeCloudDeployment(folder, wanted)
      const keys = await makeHomeKeys(platform, origin)
      await platform.signer('head')
      state.mayMove = true
      step('after receive')
      return { deployment: wanted, origin, keys, open: () => mover('receives') }
    },
    leave: async () => {
      step('before leave')
      state.mayMove = true
      return {
        open: () => mover('leaves'),
        stop: async () => {
          step('stop')
          state.home = null
        },
        end: async () => {
          step('end')
          state.mayMove = false
        },
      }
    },
    deploy: async (wanted, { folder, passphrase }) => {
      step('before deploy')
      const found = await founding(wanted, origin, { folder, passphrase })
      const deployed = toldOf({ ...wanted, home: await found(unclosed(platform)) }, KEY_DAYS)
      writeCloudDeployment(folder, deployed)
      state.mayMove = false
      const config = parseConfig(
        configText(deployed, folder, { backupDays: statedDays(deployed, KEY_DAYS), otlpEndpoint: '' }),
      )
      const hosting = { now: () => Date.now(), random, log: silentLog }
      state.home = await openApart(() => platform, config, hosting)
      step('after deploy')
      return deployed
    },
    read: async () => {
      step('read')
      return unclosed(readingOnly(around(platform, 'backs up')))
    },
    reach: () => async (request) => {
      if (!state.home) return new Response('no function', { status: 503 })
      await state.home.sequence()
      return state.home.fetch(request)
    },
    standing: async () => {
      throw new RangeError('nobody asks')
    },
    removal: async () => {
      throw new RangeError('nobody removes')
    },
  }
  const mover = (moves: Moves) => {
    if (!state.mayMove) throw new AmpereError('CONFIGURATION', 'nobody may move anything here')
    return unclosed(around(platform, moves))
  }
  return { cloud, state, platform, known: readCloudDeployment }
}

/** As the right to read leaves a platform: what is no part of a backup is not there. */
function readingOnly(platform: Platform): Platform {
  const denied = (name: string) => new AmpereError('CONFIGURATION', `whoever backs up may not use ${name}`)
  const { tables, objects } = BACKUP_NEEDS
  return {
    ...platform,
    table: (name) => {
      if (!(name in tables)) throw denied(name)
      return {
        ...platform.table(name),
        insert: async () => Promise.reject(denied(name)),
        swap: async () => Promise.reject(denied(name)),
      }
    },
    objects: (name) => {
      if (!(name in objects)) throw denied(name)
      const held = platform.objects(name)
      return {
        fetch: (of, range) => held.fetch(of, range),
        store: async () => Promise.reject(denied(name)),
        shred: async () => Promise.reject(denied(name)),
      }
    },
    signer: async (name) => Promise.reject(denied(name)),
    unwrapper: async (name) => Promise.reject(denied(name)),
  }
}

function unclosed(platform: Platform): Platform {
  return { ...platform, close: async () => {} }
}

/** Runs a command line in this process, where AWS is a stand-in. */
export async function runOn(
  { cloud, other = cloud }: { readonly cloud: Cloud; readonly other?: Cloud },
  args: readonly string[],
): Promise<Ended & { readonly said: string }> {
  const clouds = { aws: { open: async () => cloud }, azure: { open: async () => other } }
  const pause = async () => {}
  const loads = new Map<string, () => Promise<(call: never) => Promise<number>>>([
    ['backup', async () => backUpOn(clouds)],
    ['restore', async () => restoreOn(clouds)],
    ['migrate', async () => migrateOn(clouds, pause)],
    ['deploy aws', async () => deployOn(clouds.aws.open, pause)],
  ])
  const catalogue = CATALOGUE.map((group) => ({
    ...group,
    commands: group.commands.map((spec) => ({ ...spec, load: loads.get(spec.name) ?? spec.load })),
  }))
  const at = testTerminal()
  const code = await runCommand(args, catalogue, '0.0.0', at)
  return { code, out: at.said.out, err: at.said.err, said: at.said.out + at.said.err }
}
