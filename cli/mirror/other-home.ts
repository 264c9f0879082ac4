// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { homeAnswer, type HomeAnswer } from '#core/api/discovery.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { registryBlocks } from '#core/client/read/registry-blocks.ts'
import { blocksAnswer } from '#core/api/answers.ts'
import { MAX_ANSWER_BYTES } from '#core/api/limits.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { parseWith } from '#core/bytes/schema.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import { createRegistryHistory } from '#core/registry/history.ts'
import { recordOf, type RegistryView } from '#core/registry/snapshot.ts'
import { jsonOf } from '#core/server/mirror/ask-home.ts'
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

/** The registry of another home, folded from the id that is given; everybody may read it. @throws AmpereError UPSTREAM_FAILED, VERIFICATION_FAILED */
export async function readRegistry(origin: string, registry: HomeAnswer['registry']): Promise<RegistryView> {
  const history = createRegistryHistory(registry, createVerifiers())
  const page = async (from: number) => {
    const url = `${origin}/v1/registry/blocks?from=${from}`
    const { text } = await fetchText((request) => fetch(request), url, MAX_ANSWER_BYTES.blocks)
    return parseWith(blocksAnswer, jsonOf(utf8(text), origin), 'UPSTREAM_FAILED', 'answer')
  }
  for await (const compact of registryBlocks({ registryBlocks: page }, 0)) await history.add(compact)
  return history.newest()
}

/**
 * What is asked of a home by its name is asked of the copy that has it: a name that the registry gives to nobody there would keep
 * a copy under it for which no restore asks, and whoever is between can put it into what a home says of itself.
 * @throws AmpereError VERIFICATION_FAILED, rule `deployment`
 */
export function checkDeployment(registry: RegistryView, { deployment, origin }: HomeAnswer): void {
  if (recordOf(registry, 'deployment', deployment)?.origin === origin) return
  throw refuse(
    'VERIFICATION_FAILED',
    `rule deployment: the registry has no deployment ${deployment} at ${origin}`,
    'ask its operator how it is called; if not so, somebody is between this computer and that home',
  )
}

/** Keys of a demonstration protect nothing, and none of it joins what is real. @throws AmpereError CONFIGURATION */
export function checkSameKind(state: RegistryState, settings: Pick<Settings, 'demo'>): void {
  const rules = getRecord(state, 'rules')
  const isDemo = rules?.kind === 'rules' && rules.demo
  if (isDemo === (settings.demo !== null)) return
  throw refuse('CONFIGURATION', 'one of the two deployments is a demonstration, and the other is real')
}
