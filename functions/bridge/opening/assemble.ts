// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import { createBridge, type Bridge } from '#core/bridge/bridge.ts'
import { createRotation, type Rotation } from '#core/bridge/rotation/rotation.ts'
import { openBridgeStore, type BridgeStore } from '#core/bridge/store/open.ts'
import { recordClient } from '#core/client/acts/record-client.ts'
import { rotatorOf } from '#core/client/acts/rotation/rotate-due.ts'
import type { Connection } from '#core/client/connect.ts'
import { createChecker } from '#core/consistency/checker.ts'
import type { Knowledge } from '#core/consistency/knowledge.ts'
import type { WriteTable } from '#core/ports/table.ts'
import type { Validator } from '#core/record/fhir/validate.ts'
import type { LabelPolicy } from '#core/record/labels/label.ts'

/** What a bridge validates, sorts into compartments and checks by: files that ship with the software, the same for every institution. */
export interface Definitions {
  readonly validator: Validator
  readonly labels: LabelPolicy
  readonly knowledge: Knowledge
}

/** What a bridge is made of, wherever it runs. */
export interface BridgeParts extends Definitions {
  readonly connection: Connection
  /** Where records that it creates are. */
  readonly home: Home
  readonly table: WriteTable
  /** The institution's 32-byte secret for that table. */
  readonly indexSecret: Uint8Array
  /** The institution's id. */
  readonly source: string
  /** How long backups of the table are kept, in days: 0 for none. */
  readonly backupDays?: number
}

/** A bridge with what it keeps. */
export interface AssembledBridge {
  readonly bridge: Bridge
  readonly connection: Connection
  readonly store: BridgeStore
  /** Gives the records that it controls new keys where they are due. */
  readonly rotation: Rotation
  /** In which that is kept. */
  readonly table: WriteTable
  /** The institution's 32-byte secret for its table. */
  readonly indexSecret: Uint8Array
}

/** Makes a bridge of its parts. Nothing is asked of the home yet. */
export function assembleBridge(parts: BridgeParts): AssembledBridge {
  const { connection, home, table, indexSecret, source, backupDays, validator, labels, knowledge } = parts
  const { now, random } = connection.ports
  const client = recordClient(connection, home, backupDays)
  const store = openBridgeStore(table, indexSecret, client, { now, random })
  const bridge = createBridge({
    client,
    store,
    validator,
    policy: labels,
    createChecker: () => createChecker(knowledge),
    source,
    now,
    random,
  })
  const rotation = createRotation({
    table,
    patients: store.patients,
    open: store.openRotations,
    rotator: rotatorOf(connection),
    now,
  })
  return { bridge, connection, store, rotation, table, indexSecret }
}
