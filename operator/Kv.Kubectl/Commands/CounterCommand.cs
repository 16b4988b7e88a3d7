using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv counter add TYPE BUCKET KEY AMOUNT</c>: counts up or down.</summary>
internal static class CounterCommand
{
    private const int MostDigits = 4096;

    public static Command Create(CommandSession session) => new("counter", "Change counters: keys of bucket types with the datatype `counter`.") { Add(session) };

    /// <summary>A whole number as it goes to the node; null for anything else.</summary>
    public static string? AmountOf(string text) =>
        text.Length <= MostDigits && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var amount) ? amount.ToString(CultureInfo.InvariantCulture) : null;

    private static Command Add(CommandSession session)
    {
        var command = new Command("add", "Add to a counter; a negative amount counts down.");
        var update = new DataTypeUpdate(session, command, "TYPE BUCKET KEY [AMOUNT]", "The key, and how much is added: 1 if not given.", canRemove: false);
        session.Bind(command, (parsed, caller, cancel) =>
        {
            var (key, values) = update.Read(parsed, 0, 1);
            var text = values is [var given] ? given : "1";
            var amount = AmountOf(text) ?? throw CliException.Usage($"the amount must be a whole number, not `{text}`");
            return update.RunAsync(parsed, caller, key, new DataTypeOperation { Increment = amount }, isRepeatable: false, cancel);
        });
        return command;
    }
}
