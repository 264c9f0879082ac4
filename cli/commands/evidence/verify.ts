// SPDX-License-Identifier: Apache-2.0
import { asDigest, type Digest } from '#core/bytes/ids.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { MAX_EVIDENCE_BYTES } from '#core/evidence/format.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence, type Verdict } from '#core/evidence/verify.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { pinnedOf } from '../../cloud/target.ts'
import { trustedInCloud } from '../../evidence/in-cloud.ts'
import { keysOf, trustedLogs, whose, type TrustedLogs } from '../../evidence/trusted.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { readInput } from '../../terminal/files.ts'
import { EXIT } from '../../terminal/screen.ts'

interface VerifyOptions extends CloudOption {
  readonly registry?: string
  readonly log?: readonly string[]
}

/** Says what an evidence file proves, against whom, by keys that the caller trusts. */
export async function verifyEvidenceFile(call: Call<VerifyOptions>): Promise<number> {
  const { args, screen } = call
  const [file] = args
  if (file === undefined) throw usage('name an evidence file')
  const { trusted, ...pins } = await pinsOf(call)
  const bytes = readInput(file, MAX_EVIDENCE_BYTES, 'no evidence file is larger')
  try {
    const verdict = await verifyEvidence(bytes, pins)
    const trust = verdict.logs.map((key) => whose(trusted, key))
    screen.print({ ok: true, ...verdict, whose: trust }, [
      `Proved: ${verdict.proves}.`,
      ...restsOn(verdict, trusted),
    ])
    return EXIT.ok
  } catch (error) {
    if (isAmpereError(error, 'CONFIGURATION')) throw usage(`${error.message}: --registry ID, --log VKEY`)
    if (!isAmpereError(error, 'VERIFICATION_FAILED')) throw error
    screen.print({ ok: false, problem: error.message }, [
      screen.bad(`Nothing is proved: ${error.message}`),
      '  Next: ask whoever sent it for the file as it was kept, and for the keys to trust',
    ])
    return EXIT.verification
  }
}

function restsOn({ registry, logs }: Verdict, trusted: TrustedLogs): string[] {
  const names = logs.map((key) => `${key.split('+').slice(0, 2).join('+')} (${whose(trusted, key)})`)
  return [
    ...(registry ? [`  By registry ${registry.id}, as of its block ${registry.height}.`] : []),
    ...(names.length > 0 ? [`  By log keys ${names.join(', ')}.`] : []),
    '  Not checked: who made the file, and what those concerned say to it.',
  ]
}

interface Pins extends EvidencePins {
  readonly trusted: TrustedLogs
}

/** What is given, else what the data folder trusts, or for a home in a cloud, if there is one: the same as `evidence list` does. */
async function pinsOf(call: Call<VerifyOptions>): Promise<Pins> {
  const { registry, log, cloud } = call.options
  const { folder, settings } = pinnedOf(call)
  const given = log?.map(givenKey)
  const none = { own: [], witnessed: [], monitored: [] }
  const trust = cloud === undefined ? trustedLogs : trustedInCloud
  const trusted = settings && !given ? await trust(folder, settings) : none
  return {
    registry: registry === undefined ? (settings?.registry ?? null) : givenRegistry(registry),
    logs: given ?? keysOf(trusted),
    trusted,
  }
}

function givenRegistry(text: string): Digest {
  try {
    return asDigest(text)
  } catch {
    throw usage('--registry: a whole registry id is expected, 43 characters; settings.json has it')
  }
}

function givenKey(text: string): string {
  try {
    parseVerifierKey(text)
    return text
  } catch (error) {
    if (!(error instanceof AmpereError)) throw error
    throw usage(`--log: ${error.message}; a verifier key is name+id+key, as in policy.txt`)
  }
}
