// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fetch } from '#core/ports/keys.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { roleFor } from '#tests/functions/host/apart.ts'
import type { FakeIdentity } from '../bundles/fake-identity.ts'
import { startHost, type FunctionsHost } from '../bundles/functions-host.ts'
import { ask, clientIdOf, triggerOf, triggerSettings } from '../bundles/functions-home.ts'
import { EMULATOR, type Stack } from '../stack.ts'
import type { FakeScm } from './fake-scm.ts'

/** The packages that were published, each run in a process of its own by the stand-in for its host. */
export interface PublishedBundles {
  /** What the front of the home does. */
  readonly fetch: Fetch
  /** Has the schedule of a role call it. */
  readonly timer: (role: string) => Promise<void>
  /** Ends every process: the next request starts what is published now. */
  readonly restart: () => Promise<void>
  readonly close: () => Promise<void>
}

export function publishedBundles(
  scm: FakeScm,
  prefix: string,
  {
    stack,
    identity,
    led,
  }: {
    readonly stack: Stack
    readonly identity: FakeIdentity
    /** Where what functions ask of an origin goes instead. */
    readonly led?: { readonly from: string; readonly to: string }
  },
): PublishedBundles {
  const root = freshFolder()
  const hosts = new Map<string, Promise<FunctionsHost>>()
  const start = (role: string) => {
    const [, files] = [...scm.packages].find(([name]) => name.startsWith(`${prefix}-${role}-`)) ?? []
    if (!files) throw new TypeError(`nothing is published for ${role}`)
    const folder = join(root, role)
    mkdirSync(folder, { recursive: true })
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
    const { naming, vault } = stack
    const env = {
      ...identity.env,
      AMPERE_AZURE: JSON.stringify({ naming, clientId: clientIdOf(role), emulator: EMULATOR }),
      ...triggerSettings(role, naming.database),
      ...(led ? { AMPERE_TEST_LED: JSON.stringify(led) } : {}),
    }
    return startHost({ folder, env, vaultOrigin: vault.origin, aheadMs: 0 })
  }
  const host = (role: string): Promise<FunctionsHost> => {
    const started = hosts.get(role) ?? start(role)
    hosts.set(role, started)
    return started
  }
  const close = async () => {
    const all = [...hosts.values()]
    hosts.clear()
    for (const each of all) await (await each).close()
  }
  return {
    fetch: async (request) => ask(await host(roleFor(request)), request),
    timer: async (role) => {
      const [name] = triggerOf(await host(role), 'timerTrigger')
      const data = { Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false }
      await (await host(role)).ask({ call: name, data })
    },
    restart: close,
    close,
  }
}
