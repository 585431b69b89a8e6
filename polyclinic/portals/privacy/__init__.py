"""The privacy officer's pages: break-glass to be judged, requests to be answered."""
