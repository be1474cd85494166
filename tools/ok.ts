/** `npm run ok`: every check of the house in one command. */
import './test.ts';
