using Kv.Kubectl;

using var interrupt = new Interrupt();
return await new CommandLine(Terminal.OfProcess(), Surroundings.OfProcess()).RunAsync(args, interrupt.Token);
