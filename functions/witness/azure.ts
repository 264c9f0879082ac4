// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openWitnessing } from './alone.ts'

onAzure('witness', { answers: openWitnessing })
