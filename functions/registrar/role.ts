// SPDX-License-Identifier: Apache-2.0
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'

export const role = { name: 'registrar', needs: REGISTRAR_NEEDS } as const
