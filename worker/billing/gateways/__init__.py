"""Payment gateways behind one small port: Midtrans, Xendit and Stripe."""
