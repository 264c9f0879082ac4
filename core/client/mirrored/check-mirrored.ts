// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { mirroredAnswer, openMirrored, type OpenedMirrored } from '../../api/mirrored.ts'
import { isInForce } from '../../chain/rules/authority.ts'
import { grantOf, mirrorsOf } from '../../chain/state.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import { recordsIn } from '../../registry/state.ts'
import { call } from '../answer.ts'
import type { Connection } from '../connect.ts'
import { answered, readJson } from '../ask-home.ts'
import type { Replica } from '../read/replica.ts'
import { convictByMirror } from './convict-by-mirror.ts'

/** What one mirror says of a chain. */
export interface MirrorWord {
  readonly institution: InstitutionId
  /** Where its deployment is; null where the registry has none of that institution, so that nobody can be asked. */
  readonly origin: string | null
  /**
   * `mirrored` holds it up to `height`; `nothing` does not know it; `failed` does not answer, or with nothing that counts;
   * `forked` and `rolled-back` was shown something by the home that the home now contradicts.
   */
  readonly says: 'mirrored' | 'nothing' | 'failed' | 'forked' | 'rolled-back'
  /** Up to which block, and when it said so; null where nothing counts. */
  readonly height: number | null
  readonly time: Timestamp | null
  readonly detail: string
}

/** How long a mirror may take to answer, in milliseconds: nothing that is verified depends on it. */
const ANSWER_MS = 10_000

/**
 * Asks the mirrors of a chain up to which block they hold it: the deployments, by the registry, of the institutions that the
 * chain grants to hold. What one says counts if its own key signed it and the home's key signed the same block.
 */
export async function checkMirrored(
  connection: Connection,
  replica: Replica,
): Promise<readonly MirrorWord[]> {
  const asked = mirrorsAt(connection, replica).map((mirror) => askOne(connection, replica, mirror))
  return Promise.all(asked)
}

interface MirrorAt {
  readonly institution: InstitutionId
  readonly origin: string | null
}

function mirrorsAt(
  { ports, sync: { registry } }: Connection,
  { link: { state } }: Replica,
): readonly MirrorAt[] {
  const now = toTimestamp(ports.now())
  const records = registry.link()
  const deployments = [...(records ? recordsIn(records.state) : [])].filter(
    (record) => record.kind === 'deployment' && record.origin !== ports.pins.origin,
  )
  return mirrorsOf(state).flatMap((institution): readonly MirrorAt[] => {
    const grant = grantOf(state, institution)
    if (!grant || !isInForce(grant, now)) return []
    const origins = deployments.flatMap((record) =>
      record.kind === 'deployment' && record.institution === institution ? [record.origin] : [],
    )
    if (origins.length === 0) return [{ institution, origin: null }]
    return origins.map((origin) => ({ institution, origin }))
  })
}

async function askOne(connection: Connection, replica: Replica, at: MirrorAt): Promise<MirrorWord> {
  const none = { ...at, height: null, time: null }
  const { origin } = at
  if (origin === null) return { ...none, says: 'failed', detail: 'the registry has no deployment of it' }
  try {
    const opened = await ask(connection, replica, origin)
    const { height, time } = opened.opened.mirrored
    const found = await compare(connection, replica, opened)
    return { ...at, height, time, ...found }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    const says = error.code === 'NOT_FOUND' ? 'nothing' : 'failed'
    return { ...none, says, detail: error.message.replace('the home', 'the mirror') }
  }
}

interface Asked {
  readonly opened: OpenedMirrored
  /** The home's statement as the mirror has it. */
  readonly head: string
}

async function ask(
  { ports, sync: { registry, verifiers } }: Connection,
  { chain }: Replica,
  mirror: string,
): Promise<Asked> {
  const deadline = ports.deadline ?? ((ms) => AbortSignal.timeout(ms))
  const outside = {
    fetch: ports.outside ?? ports.fetch,
    deadline: (ms: number) => deadline(Math.min(ms, ANSWER_MS)),
  }
  const request = {
    url: new URL(`/v1/mirrored/${chain}`, mirror),
    init: { redirect: 'error' },
    bytes: 0,
  } as const
  const bytes = answered(
    await call(outside, request, { maxBytes: MAX_ANSWER_BYTES.statements, beyond: 'fail' }),
  )
  const answer = parseWith(mirroredAnswer, readJson(bytes), 'UPSTREAM_FAILED', 'answer')
  const by = {
    mirror,
    home: ports.pins.origin,
    keyAt: (kid: Parameters<typeof headKeyAt>[1], origin: string) =>
      headKeyAt(registry.newest(), kid, origin),
  }
  const opened = await openMirrored(answer, by, verifiers)
  if (opened.mirrored.chain !== chain)
    throw new AmpereError('VERIFICATION_FAILED', 'rule mirrored: it is about another chain')
  return { opened, head: answer.head }
}

/** The home's own statement, which the mirror kept, must be of what the home shows. */
async function compare(
  connection: Connection,
  replica: Replica,
  { opened: { head }, head: compact }: Asked,
): Promise<Pick<MirrorWord, 'says' | 'detail'>> {
  // The home may have grown since this reader looked.
  const shown = head.height > replica.head.height ? await connection.replica(replica.chain) : replica
  const at = shown.notes[head.height]
  if (at?.id === head.block) return { says: 'mirrored', detail: '' }
  const kept = await convictByMirror(connection, shown, compact)
  if (at) {
    const detail = `the home showed the mirror another block at height ${head.height}${kept}`
    return { says: 'forked', detail }
  }
  const detail = `the home stated height ${head.height} to the mirror, and shows ${shown.head.height}${kept}`
  return { says: 'rolled-back', detail }
}
