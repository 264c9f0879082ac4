// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { parseEvidence, type EvidenceKind } from '#core/evidence/format.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { CLOUDS } from '../../cloud/clouds.ts'
import { deployedAs, settingsIn } from '../../cloud/target.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import type { Settings } from '../../deployment/settings.ts'
import { evidenceFiles, evidenceFolder, readEvidenceFiles } from '../../evidence/files.ts'
import { keepFromCloud, trustedInCloud } from '../../evidence/in-cloud.ts'
import { keysOf, trustedLogs, type TrustedLogs } from '../../evidence/trusted.ts'
import type { Call, CloudOption } from '../../program/command.ts'
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
export async function listEvidenceFiles(call: Call<CloudOption>): Promise<number> {
  const { cloud } = call.options
  const { folder, settings, trusted } =
    cloud === undefined ? await keptHere(call) : await keptInCloud(call, cloud)
  const logs = keysOf(trusted)
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
      ? `  Next: npx ampere evidence verify ${first.file}${cloud === undefined ? '' : ` --cloud ${cloud}`}; send a copy to whoever is to know`
      : 'Nothing is kept against anybody.',
  ])
  return EXIT.ok
}

/** Where evidence is kept, and by which keys it is judged. */
interface Keeping {
  readonly folder: string
  readonly settings: Settings
  readonly trusted: TrustedLogs
}

async function keptHere(call: Call): Promise<Keeping> {
  const { folder, settings } = deploymentOf(call)
  return { folder, settings, trusted: await trustedLogs(folder, settings, evidenceFiles(folder)) }
}

/** What its witness and its monitor found is asked of it first. */
async function keptInCloud(call: Call<CloudOption>, cloud: string): Promise<Keeping> {
  const { folder, deployment, home } = deployedAs(call, cloud)
  const settings = settingsIn(folder, deployment, home)
  const { reach } = await CLOUDS[deployment.provider].open(call.screen.terminal.env)
  await keepFromCloud(folder, settings, reach(home.origin), evidenceFiles(folder))
  return { folder, settings, trusted: trustedInCloud(folder, settings) }
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
