import { fileFactory, memoryFactory } from '../helpers/factories.js';
import { contractSuite } from './contract-suite.js';

contractSuite('MyceliaStorageBackend over a file', fileFactory());
contractSuite('MyceliaStorageBackend in memory', memoryFactory);
