import { render } from 'preact';
import { listenToKeys } from './parts/keys.tsx';
import { Page } from './parts/page.tsx';
import { App } from './state/app.ts';
import './style.css';

const app = new App();
app.start();
listenToKeys(app);
const root = document.querySelector('#page');
if (root !== null) render(<Page app={app} />, root);
