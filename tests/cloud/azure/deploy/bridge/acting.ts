// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bridgeElsewhere } from '#cli/cloud/bridge/elsewhere.ts'
import { readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { settingsIn } from '#cli/cloud/target.ts'
import { openBridge, type OpenBridge } from '#cli/open/bridge.ts'
import { createLazyValidator } from '#cli/open/validator.ts'
import { groupByPatient } from '#core/bridge/file/group-patients.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Fetch } from '#core/ports/keys.ts'

/** An institution as its commands act for it with `--cloud`, in this process. @param folder of the home */
export async function actingFor(folder: string, institution: string, fetch: Fetch): Promise<OpenBridge> {
  const known = readCloudDeployment(folder)
  if (!known?.home) throw new RangeError('no home was deployed')
  const text = readFileSync(join(folder, 'passphrase'), 'utf8').trim()
  return openBridge(
    {
      folder,
      settings: settingsIn(folder, known, known.home),
      passphrase: { text, masters: new Map(), isRandom: true },
      fetch,
      validator: createLazyValidator(),
      beside: true,
      elsewhere: bridgeElsewhere(folder, { reach: async () => fetch, now: () => Date.now(), say: () => {} }),
    },
    institution,
  )
}

/** Files a Bundle, as `import` does. */
export async function importAs(open: OpenBridge, text: string): Promise<void> {
  await open.prepare()
  const intake = open.bridge.intake(utf8(text), 'fhir+json')
  const { groups } = groupByPatient(intake, open.bridge.ports.validator.patientTypes)
  for (const { items } of groups) await open.bridge.fileIntake({ ...intake, items }, { resend: 'message' })
}
