// SPDX-License-Identifier: Apache-2.0
import { listEvidence } from '#core/server/witness/evidence.ts'
import { listKnownLogs } from '#core/server/witness/logs.ts'
import { targetOf } from '../../cloud/target.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { ago, columns, counted, plain } from '../../terminal/words.ts'
import { readAccepted } from '../../witness/accepted.ts'
import { askedWitnesses, openNewest, standingsOf, type Standing } from '../../witness/asked.ts'
import { quorumOrNull } from '../../witness/policy/policy-text.ts'
import { fingerprintOf } from '../../witness/published-keys.ts'
import { markIn, markOf } from '../../witness/same-machine.ts'
import { lastCosigned, nameOf, type Cosigned } from '../../witness/look/last-cosigned.ts'
import { storedLog } from '../../witness/look/looked-at.ts'
import { newestCheckpoint, withStoredLog, type StoredLog } from '../../witness/look/stored-log.ts'

/** Lists both directions: who is asked to witness this home's log, and whose logs this home's witness cosigns. */
export async function listWitnesses(call: Call<CloudOption>): Promise<number> {
  if (call.options.cloud !== undefined) return listInCloud(call)
  return withStoredLog(
    call,
    async (stored) => {
      const policy = readPolicy(stored.folder, stored.settings.origin)
      const note = await newestCheckpoint(stored.platform)
      const newest = policy && note !== null ? await openNewest(policy, note) : null
      const witnesses = policy ? standingsOf(policy, newest) : []
      const last = policy
        ? await lastCosigned(storedLog(stored), policy, witnesses)
        : new Map<string, Cosigned>()
      const lastOf = (each: Standing) => last.get(nameOf(each)) ?? null
      const logs = await cosignedLogs(stored)
      const json = {
        ok: true,
        quorum: policy && quorumOrNull(policy),
        witnesses: witnesses.map((each) => ({
          ...brief(each),
          cosigned: each.cosigned,
          last: lastOf(each),
        })),
        logs,
      }
      const nowMs = call.screen.terminal.now()
      call.screen.print(json, [
        witnesses.length === 0
          ? 'Nobody witnesses the log of this home.'
          : 'Asked to witness the log of this home:',
        ...columns(witnesses.map((each) => witnessRow(each, lastOf(each), nowMs))),
        logs.length === 0 ? "This home's witness cosigns no log." : "Cosigned by this home's witness:",
        ...columns(logs.map((each) => logRow(each, nowMs))),
      ])
      return EXIT.ok
    },
    'look',
  )
}

/** The same of a home in a cloud: what this computer knows, and nothing of what was cosigned. */
function listInCloud(call: Call<CloudOption>): number {
  const { folder, origin } = targetOf(call)
  const policy = readPolicy(folder, origin)
  const witnesses = policy ? askedWitnesses(policy) : []
  const logs = readAccepted(folder).map((log) => ({
    origin: log.origin,
    fingerprint: fingerprintOf(log.keys),
  }))
  const none = { cosigned: null, last: null }
  const json = {
    ok: true,
    quorum: policy && quorumOrNull(policy),
    witnesses: witnesses.map((each) => ({ ...brief(each), ...none })),
    logs: logs.map((log) => ({ ...log, cosigned: null, evidence: null })),
  }
  call.screen.print(json, [
    witnesses.length === 0
      ? `Nobody witnesses the log of ${origin}.`
      : `Asked to witness the log of ${origin}, once it is deployed so:`,
    ...columns(
      witnesses.map(({ name, url }) => [plain(name), `${url ?? 'nobody knows where'}${markIn(url)}`]),
    ),
    logs.length === 0 ? 'Its witness cosigns no log.' : 'Cosigned by its witness:',
    ...columns(logs.map((log) => [plain(log.origin), log.fingerprint])),
  ])
  return EXIT.ok
}

/** Of a witness what both list and status say. */
export function brief({ name, url, keys }: Pick<Standing, 'name' | 'url' | 'keys'>) {
  return { name, url, fingerprint: fingerprintOf(keys), mark: markOf(url) }
}

function witnessRow(standing: Standing, last: Cosigned | null, nowMs: number): string[] {
  const { name, url, cosigned } = standing
  return [plain(name), `${cosignedPhrase(cosigned, last, nowMs)}${markIn(url)}`]
}

/** What a witness cosigned of the newest checkpoint, or before it. */
export function cosignedPhrase(newest: Cosigned | null, last: Cosigned | null, nowMs: number): string {
  const known = newest ?? last
  if (known === null) return 'nothing cosigned of what is kept here'
  const what = `cosigned ${counted(known.size, 'leaf', 'leaves')} ${ago(known.time, nowMs)}`
  return newest === null ? `${what}, and nothing since` : what
}

interface CosignedLog {
  readonly origin: string
  /** Null for one that is cosigned no more: it is listed for what is kept against it. */
  readonly fingerprint: string | null
  readonly cosigned: { readonly size: number; readonly time: number } | null
  /** Pieces that convict the log, and pieces that are a lead only. */
  readonly evidence: { readonly proofs: number; readonly leads: number }
}

async function cosignedLogs({ platform }: StoredLog): Promise<readonly CosignedLog[]> {
  const ports = { tables: { witness: platform.table('witness') } }
  const logs: CosignedLog[] = []
  for (const { origin, keys, cosigned } of await listKnownLogs(ports)) {
    const kinds = (await listEvidence(ports, origin)).map(({ kind }) => kind)
    if (keys.length === 0 && kinds.length === 0) continue
    const proofs = kinds.filter((kind) => kind === 'same-size').length
    logs.push({
      origin,
      fingerprint: keys.length === 0 ? null : fingerprintOf(keys),
      cosigned: cosigned && { size: cosigned.checkpoint.size, time: cosigned.time },
      evidence: { proofs, leads: kinds.length - proofs },
    })
  }
  return logs
}

function logRow({ origin, fingerprint, cosigned, evidence }: CosignedLog, nowMs: number): string[] {
  const size = cosigned
    ? `${counted(cosigned.size, 'leaf', 'leaves')} ${ago(cosigned.time, nowMs)}`
    : 'nothing yet'
  const against = [
    ...(fingerprint === null ? ['cosigned no more'] : []),
    ...(evidence.proofs > 0 ? [`PROOF of two histories: ${evidence.proofs}`] : []),
    ...(evidence.leads > 0 ? [`proofs that did not verify: ${evidence.leads}`] : []),
  ]
  return [plain(origin), [size, ...against].join('; ')]
}
