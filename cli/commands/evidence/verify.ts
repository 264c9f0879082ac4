// SPDX-License-Identifier: Apache-2.0
import { asDigest, type Digest } from '#core/bytes/ids.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { MAX_EVIDENCE_BYTES } from '#core/evidence/format.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence, type Verdict } from '#core/evidence/verify.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { dataFolder, readSettings } from '../../deployment/settings.ts'
import { pinnedLogs } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { readInput } from '../../terminal/files.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

interface VerifyOptions extends Common {
  readonly registry?: string
  readonly log?: readonly string[]
}

/** Says what an evidence file proves, against whom, by keys that the caller trusts. */
export async function verifyEvidenceFile({ args, options, screen }: Call<VerifyOptions>): Promise<number> {
  const [file] = args
  if (file === undefined) throw usage('name an evidence file')
  const pins = pinsOf(options, dataFolder(options.data, screen.terminal.env))
  const bytes = readInput(file, MAX_EVIDENCE_BYTES, 'no evidence file is larger')
  try {
    const verdict = await verifyEvidence(bytes, pins)
    screen.print({ ok: true, ...verdict }, [`Proved: ${verdict.proves}.`, ...restsOn(verdict)])
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

function restsOn({ registry, logs }: Verdict): string[] {
  const names = logs.map((key) => key.split('+').slice(0, 2).join('+'))
  return [
    ...(registry ? [`  By registry ${registry.id}, as of its block ${registry.height}.`] : []),
    ...(names.length > 0 ? [`  By log keys ${names.join(', ')}.`] : []),
    '  Not checked: who made the file, and what those concerned say to it.',
  ]
}

/** What is given, else what the data folder trusts, if there is one. */
function pinsOf({ registry, log }: VerifyOptions, folder: string): EvidencePins {
  const settings = readSettings(folder)
  return {
    registry: registry === undefined ? (settings?.registry ?? null) : givenRegistry(registry),
    logs: log?.map(givenKey) ?? (settings ? pinnedLogs(folder, settings) : []),
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
