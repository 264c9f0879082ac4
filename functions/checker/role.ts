// SPDX-License-Identifier: Apache-2.0

/** An institution's scheduled consistency checks: it keeps the patient index up to date and acts as the app instance. */
export const role = {
  name: 'checker',
  needs: {
    tables: { bridge: 'write' },
    objects: {},
    keys: { bridge: 'sign', sealing: 'unwrap' },
  },
} as const
