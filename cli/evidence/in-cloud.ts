// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { contradictionsAnswer, logIdOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { findingsAnswer } from '#core/api/lookup.ts'
import { jsonOrNull } from '#core/client/answer.ts'
import type { EvidenceSink } from '#core/client/client.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { evidenceOfCheckpoints } from '#core/evidence/build.ts'
import { evidenceOfFinding } from '#core/evidence/of-finding.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Settings } from '../deployment/settings.ts'
import { readWatched } from '../monitor/watched.ts'
import { pinnedLogs } from '../open/policy.ts'
import { readAccepted } from '../witness/accepted.ts'
import { keepIfRoom } from './files.ts'
import type { TrustedLogs } from './trusted.ts'

/** A function that was not called for a while takes seconds to begin. */
const ANSWER_MS = 30_000
/** Largest page that is read, in bytes: what a function can answer. */
const MAX_PAGE_BYTES = 6 * 1024 * 1024

/** The keys that the operator of a home in a cloud entered or accepted: its functions have them by the next deployment. */
export function trustedInCloud(folder: string, settings: Settings): TrustedLogs {
  return {
    own: pinnedLogs(folder, settings),
    witnessed: readAccepted(folder).flatMap(({ keys }) => keys.map(formatVerifierKey)),
    monitored: readWatched(folder).flatMap(({ policy }) =>
      policy.logs.map(({ key }) => formatVerifierKey(key)),
    ),
  }
}

/**
 * Keeps as files what a home in a cloud found as a witness and as a monitor, as it says to anybody. The keys of the logs are those of
 * the folder, so what it says is no more than where to look.
 * @throws AmpereError UPSTREAM_FAILED
 */
export async function keepFromCloud(
  folder: string,
  { origin: home, registry }: Pick<Settings, 'origin' | 'registry'>,
  fetch: Fetch,
  keep: EvidenceSink,
): Promise<void> {
  const pins = (logs: readonly string[]) => ({ registry, logs })
  for (const { origin, keys } of readAccepted(folder)) {
    const log = keys.map(formatVerifierKey)
    const path = `${WITNESS_PREFIX}/${logIdOf(origin)}/contradictions`
    for await (const { kind, cosigned, refused } of allOf(fetch, home, path, contradictionsAnswer))
      if (kind === 'same-size')
        await keepProven(keep, pins(log), () =>
          evidenceOfCheckpoints({ origin, log }, [cosigned, refused], { how: 'root' }),
        )
  }
  for (const { origin, policy } of readWatched(folder)) {
    const log = policy.logs.map(({ key }) => formatVerifierKey(key))
    const path = `/v1/monitored/${logIdOf(origin)}/findings`
    for await (const finding of allOf(fetch, home, path, findingsAnswer))
      await keepProven(keep, pins(log), () => evidenceOfFinding({ ...finding, origin }, log))
  }
}

/** What the home says and the log did not sign is not kept: it would convince nobody. */
async function keepProven(
  keep: EvidenceSink,
  pins: EvidencePins,
  make: () => Uint8Array | null,
): Promise<void> {
  try {
    const evidence = make()
    if (!evidence) return
    await verifyEvidence(evidence, pins)
    await keepIfRoom(keep, evidence)
  } catch (error) {
    if (!isAmpereError(error, 'VERIFICATION_FAILED', 'EVIDENCE_MALFORMED', 'LOG_MALFORMED')) throw error
  }
}

type Page<T> = v.GenericSchema<unknown, { readonly items: readonly T[]; readonly next: number | null }>

async function* allOf<T>(fetch: Fetch, home: string, path: string, page: Page<T>): AsyncGenerator<T> {
  for (let from: number | null = 0; from !== null;) {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const answer = await fetch(new Request(new URL(`${path}?from=${from}`, home), { signal }))
    // Nothing was found yet of a log that its functions do not know yet.
    if (answer.status === 404) return
    const read = v.safeParse(page, answer.ok ? await jsonOrNull(answer, MAX_PAGE_BYTES, signal) : null)
    if (!read.success)
      throw new AmpereError('UPSTREAM_FAILED', `the home answered ${answer.status} to ${path}`)
    const { items, next } = read.output
    yield* items
    if (next !== null && next <= from)
      throw new AmpereError('UPSTREAM_FAILED', `${path} has pages without end`)
    from = next
  }
}
