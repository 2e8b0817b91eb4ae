"""What a drill looks at. A probe waits for what it is named after and fails when it does not come true."""
