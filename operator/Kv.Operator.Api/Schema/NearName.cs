namespace Kv.Operator.Api.Schema;

/// <summary>What somebody may have meant by a name that there is not. Pure.</summary>
public static class NearName
{
    /// <summary>The end of a sentence, <c>; did you mean NAME?</c>, or nothing where no known name is within two edits.</summary>
    public static string Suggest(string name, IEnumerable<string>? known)
    {
        var near = known?.Select(one => (One: one, Distance: Distance(one, name))).Where(pair => pair.Distance <= 2).OrderBy(pair => pair.Distance).FirstOrDefault();
        return near?.One is { } found ? $"; did you mean {found}?" : "";
    }

    /// <summary>Edits between two names, without regard to case (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 2)
        {
            return int.MaxValue;
        }

        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                (row[j], diagonal) = (Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + cost), row[j]);
            }
        }

        return row[b.Length];
    }
}
