// SPDX-License-Identifier: Apache-2.0
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { parseConfig } from '#functions/host/cloud/config.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { openApart, type Apart } from '#tests/functions/host/apart.ts'
import type { FakeScm } from './fake-scm.ts'

const ROLES = identitiesOf('home')

/**
 * A home that answers as what was published would: once every role has a package, by the configuration in it. Its roles run in this process and not
 * from the package; before each answer the sequencer is called, as its schedule does.
 */
export function publishedHome(scm: FakeScm, prefix: string, platform: Platform): Fetch {
  const opened = new Map<string, Promise<Apart>>()
  const open = (config: string) => {
    const hosting = { now: () => Date.now(), random: platform.random, log: silentLog }
    return openApart(() => platform, parseConfig(config), hosting)
  }
  return async (request) => {
    const configs = ROLES.map(({ name }) => configIn(scm, `${prefix}-${name}-`))
    const [config] = configs
    if (config === undefined || configs.some((each) => each !== config))
      return new Response('no app', { status: 503 })
    const home = opened.get(config) ?? open(config)
    opened.set(config, home)
    const { sequence, fetch } = await home
    await sequence()
    return fetch(request)
  }
}

function configIn({ packages }: FakeScm, begins: string): string | undefined {
  const [, files] = [...packages].find(([name]) => name.startsWith(begins)) ?? []
  const text = files?.['ampere.json']
  return text && Buffer.from(text).toString('utf8')
}
