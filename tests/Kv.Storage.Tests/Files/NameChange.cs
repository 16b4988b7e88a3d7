namespace Kv.Storage.Tests.Files;

/// <summary>A change of one directory: a name made, deleted, or changed into another in one step.</summary>
internal sealed record NameChange(string? Removed, string? Added, Inode? Inode)
{
    public void Apply(Dictionary<string, Inode> entries)
    {
        if (Removed is not null)
        {
            entries.Remove(Removed);
        }

        if (Added is not null)
        {
            entries[Added] = Inode!;
        }
    }
}
