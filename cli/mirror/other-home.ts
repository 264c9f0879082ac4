// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { homeAnswer, type HomeAnswer } from '#core/api/discovery.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { AmpereError } from '#core/errors.ts'
import type { RegistryState } from '#core/registry/state.ts'
import { getRecord } from '#core/registry/state.ts'
import type { Settings } from '../deployment/settings.ts'
import { rootSigner, type Institution } from '../open/institution.ts'
import { refuse, usage } from '../program/refuse.ts'
import { fetchText } from '../witness/fetch-text.ts'

/** Discovery answers have about 10 kB. */
const MAX_DISCOVERY_BYTES = 64 * 1024

/** An origin as it is given. @throws CommanderError (usage) */
export function originArgument(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text
  throw usage(`${text.slice(0, 80)} is no origin, such as https://home.example`)
}

/** What a home says of itself; nothing of it is pinned yet. @throws AmpereError UPSTREAM_FAILED */
export async function describeHome(origin: string): Promise<HomeAnswer> {
  try {
    const { text } = await fetchText(
      (request) => fetch(request),
      `${origin}/.well-known/ampere`,
      MAX_DISCOVERY_BYTES,
    )
    const said = v.parse(homeAnswer, JSON.parse(text))
    if (said.origin !== origin) throw new TypeError('another origin')
    return said
  } catch (cause) {
    const next = 'is it running, and reachable under this very origin?'
    throw refuse('UPSTREAM_FAILED', `${origin} does not answer as a home does`, next, cause)
  }
}

/** Another home, with its registry folded from the id that is given. Root keys sign what is asked of it. */
export async function connectHome(
  origin: string,
  registry: HomeAnswer['registry'],
  institution: Institution,
): Promise<Connection> {
  const connection = connect({
    fetch: (request) => fetch(request),
    now: () => Date.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    identity: {
      reader: institution.id,
      institution: institution.id,
      signer: await rootSigner(institution),
      sealingSeed: async () => institution.sealingSeed,
    },
    pins: { registry, origin, policy: null, monitors: null },
    seen: { load: async () => null, save: async () => undefined },
  })
  await syncRegistry(connection.sync)
  return connection
}

/** The newest verified state of the registry behind a connection. @throws AmpereError NOT_FOUND */
export function stateOf({ sync }: Connection): RegistryState {
  const link = sync.registry.link()
  if (!link) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  return link.state
}

/** Keys of a demonstration protect nothing, and none of it joins what is real. @throws AmpereError CONFIGURATION */
export function checkSameKind(state: RegistryState, settings: Settings): void {
  const rules = getRecord(state, 'rules')
  const isDemo = rules?.kind === 'rules' && rules.demo
  if (isDemo === (settings.demo !== null)) return
  throw refuse('CONFIGURATION', 'one of the two deployments is a demonstration, and the other is real')
}
