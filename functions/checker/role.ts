// SPDX-License-Identifier: Apache-2.0

/** An institution's scheduled consistency checks: it reads the patient index and acts as the app instance. */
export const role = {
  name: 'checker',
  needs: { tables: { bridge: 'read' }, objects: {}, keys: { instance: 'sign', sealing: 'unwrap' } },
} as const
