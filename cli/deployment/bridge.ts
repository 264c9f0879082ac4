// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { loadDefinitions, loadKnowledge, loadSensitivity } from '#adapters/local/definitions.ts'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createAccessLog, type AccessLog } from '#core/bridge/store/access.ts'
import { createBridge, type Bridge } from '#core/bridge/bridge.ts'
import { createPatientIndex } from '#core/bridge/store/patients.ts'
import { recordItems } from '#core/bridge/serve/record-items.ts'
import { recordClient } from '#core/client/acts/record-client.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { checkRecord } from '#core/consistency/check.ts'
import type { Fetch, Random } from '#core/ports/keys.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import { createValidator } from '#core/record/fhir/validate.ts'
import { fileSeen, openInstitution, type Institution } from './institution.ts'
import { passphraseOf, type Settings } from './settings.ts'

const now = () => Date.now()
const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** Connects an institution of this machine to the home. */
export function connectInstitution(
  institution: Institution,
  settings: Settings,
  homeFetch: Fetch,
): Connection {
  return connect({
    fetch: homeFetch,
    now,
    random,
    identity: {
      reader: institution.id,
      institution: institution.id,
      signer: institution.instance,
      sealingSeed: async () => institution.sealingSeed,
    },
    pins: { registry: settings.registry, origin: settings.origin },
    seen: fileSeen(institution.folder),
  })
}

/** An institution's bridge in this process, with its own table. */
export interface OpenBridge {
  readonly bridge: Bridge
  readonly connection: Connection
  readonly institution: Institution
  readonly access: AccessLog
  readonly close: () => Promise<void>
}

const once: {
  shared?: { validator: ReturnType<typeof createValidator>; policy: ReturnType<typeof createLabelPolicy> }
} = {}

/** Opens a bridge. `beside` a running server its table is shared with it, for commands that last a moment. */
export async function openBridge(
  folder: string,
  settings: Settings,
  id: string,
  homeFetch: Fetch,
  beside = false,
): Promise<OpenBridge> {
  const institution = await openInstitution(folder, id, passphraseOf(folder))
  const connection = connectInstitution(institution, settings, homeFetch)
  const platform = openLocal({
    folder: join(institution.folder, 'bridge'),
    passphrase: passphraseOf(folder),
    beside,
  })
  const client = recordClient(connection, {
    deployment: asDeploymentId(settings.deployment),
    origin: settings.origin,
  })
  const access = createAccessLog(client, now)
  const knowledge = loadKnowledge()
  once.shared ??= {
    validator: createValidator(loadDefinitions()),
    policy: createLabelPolicy(loadSensitivity()),
  }
  const bridge = createBridge({
    client,
    index: createPatientIndex(platform.table('bridge'), institution.indexKey, { now, random }),
    validator: once.shared.validator,
    policy: once.shared.policy,
    check: (projection) => checkRecord(recordItems(projection), knowledge, now()),
    access,
    source: id,
    now,
  })
  return { bridge, connection, institution, access, close: () => platform.close() }
}
