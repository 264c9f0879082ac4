// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { parseEvidence, type EvidenceKind } from '#core/evidence/format.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { evidenceFiles, evidenceFolder, readEvidenceFiles } from '../../evidence/files.ts'
import { keysOf, trustedLogs } from '../../evidence/trusted.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'

interface Listed {
  readonly file: string
  readonly kind: EvidenceKind | null
  readonly against: string | null
  readonly proves: string | null
  /** Why nothing is proved here; null when it is. */
  readonly problem: string | null
}

/** Lists what this installation kept against others, its home as a witness and a monitor included, and what each file proves. */
export async function listEvidenceFiles(call: Call): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const keep = evidenceFiles(folder)
  const logs = keysOf(await trustedLogs(folder, settings, keep))
  const items: Listed[] = []
  for (const { file, bytes } of readEvidenceFiles(folder))
    items.push({ file, ...(await judged(bytes, { registry: settings.registry, logs })) })
  const [first] = items
  call.screen.print({ ok: true, folder: evidenceFolder(folder), items }, [
    ...items.flatMap(({ file, against, proves, problem }) => [
      file,
      proves === null
        ? call.screen.bad(`  Nothing is proved here: ${problem}`)
        : `  Against ${against}: ${proves}.`,
    ]),
    first
      ? `  Next: npx ampere evidence verify ${first.file}; send a copy to whoever is to know`
      : 'Nothing is kept against anybody.',
  ])
  return EXIT.ok
}

async function judged(bytes: Uint8Array, pins: EvidencePins): Promise<Omit<Listed, 'file'>> {
  try {
    const { kind, origin } = parseEvidence(bytes)
    try {
      const { proves } = await verifyEvidence(bytes, pins)
      return { kind, against: origin, proves, problem: null }
    } catch (error) {
      if (!isAmpereError(error)) throw error
      return { kind, against: origin, proves: null, problem: error.message }
    }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { kind: null, against: null, proves: null, problem: error.message }
  }
}
